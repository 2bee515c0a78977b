import { inside } from '../support/inside-netns.ts';
import { httpTests } from './dsr-http.ts';
import { dsrNetwork } from './dsr-support.ts';

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) httpTests(network, 6);
