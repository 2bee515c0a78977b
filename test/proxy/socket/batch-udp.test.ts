import { BatchUdp } from '../../../lib/proxy/socket/batch-udp.ts';
import { describeUdpContract } from './udp-contract.ts';

describeUdpContract('batches', () => new BatchUdp());
