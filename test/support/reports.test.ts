import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDnsperf } from './dns.ts';
import { parseWrk } from './wrk.ts';

describe("wrk's report", () => {
  const head = `Running 2s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.20ms    2.90ms  41.00ms   90.00%
    Req/Sec    22.60k     2.10k   25.00k    70.00%
  Latency Distribution
     50%  250.00us
     75%    2.40ms
     90%    5.10ms
     99%    1.50s
  45650 requests in 2.03s, 7.10MB read
`;
  const tail = `Requests/sec:  22514.77
Transfer/sec:      3.50MB
`;

  it('is read without errors', () => {
    assert.deepEqual(parseWrk(head + tail), {
      requests: 45_650,
      requestsPerSecond: 22_514.77,
      errors: { connect: 0, read: 0, write: 0, timeout: 0, status: 0 },
      latencyMs: { mean: 3.2, p50: 0.25, p99: 1_500 },
    });
  });

  it('is read with errors of sockets and of answers', () => {
    const errors = `  Socket errors: connect 1, read 22, write 3, timeout 4
  Non-2xx or 3xx responses: 55
`;
    assert.deepEqual(parseWrk(head + errors + tail).errors, {
      connect: 1,
      read: 22,
      write: 3,
      timeout: 4,
      status: 55,
    });
  });

  it('is not made up from something else', () => {
    assert.throws(() => parseWrk('unable to connect'), /not a report of wrk/);
  });
});

describe("dnsperf's report", () => {
  it('is read', () => {
    const report = `Statistics:

  Queries sent:         41900
  Queries completed:    41869 (99.93%)
  Queries lost:         31 (0.07%)

  Response codes:       NOERROR 41869 (100.00%)
  Run time (s):         2.006242
  Queries per second:   20869.366707
`;
    assert.deepEqual(parseDnsperf(report), {
      sent: 41_900,
      completed: 41_869,
      lost: 31,
      queriesPerSecond: 20_869.366707,
    });
  });

  it('is not made up from something else', () => {
    assert.throws(() => parseDnsperf('Error: no data'), /not a report of dnsperf/);
  });
});
