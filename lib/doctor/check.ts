/** What a check is: a pure function from facts to findings. */
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import type { DoctorMode } from './modes.ts';
import type { PathAsked, Subject } from './subject.ts';

export interface Case {
  readonly mode: DoctorMode;
  readonly facts: Facts;
  /** Its services are those of the mode. */
  readonly subject: Subject;
  /** Of the mode. */
  readonly asked: PathAsked;
}

export type Check = (of: Case) => readonly Finding[];
