import { inside } from '../support/inside-netns.ts';
import { backendTests } from './dsr-backends.ts';
import { dsrNetwork } from './dsr-support.ts';

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) backendTests(network, 2);
