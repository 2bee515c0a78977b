/**
 * How a device's rules know whose packet it was that comes out: a packet that goes into a tunnel from a welcome source
 * is marked, the kernel leaves the mark on what is inside, and it is taken off there. Only the bits of the mask count,
 * and only tunnel packets to this machine are marked; 0x51ce is the packet path's (see datapath/kernel/rule-names.ts).
 */
import { markMask } from '../../datapath/kernel/rule-names.ts';

export const admittedMark = 0x51cf0000;

export { markMask };
