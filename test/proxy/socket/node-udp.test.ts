import { nodeUdp } from '../../../lib/proxy/socket/node-udp.ts';
import { describeUdpContract } from './udp-contract.ts';

describeUdpContract('Node', () => nodeUdp);
