// Tests of the scripts themselves, against a small server with canned answers.
// The server behind them is tested by the end-to-end tests, which run the same
// scripts against Dogwatch.
'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const path = require('node:path');
const { execFile } = require('node:child_process');

// serve answers each action with what the table says: an object, or a function
// of the parameters. It records what it was asked.
async function serve(t, table) {
  const calls = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => { body += piece; });
    request.on('end', () => {
      const action = request.headers['x-tc-action'];
      const parameters = JSON.parse(body || '{}');
      calls.push({ action, parameters, authorization: request.headers.authorization });
      const entry = table[action];
      const answer = typeof entry === 'function' ? entry(parameters) : entry;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ Response: { ...answer, RequestId: 'request-1' } }));
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { calls, endpoint: `http://127.0.0.1:${server.address().port}` };
}

// run executes a script and returns its exit code and output.
function run(script, endpoint, ...args) {
  const env = {
    ...process.env, DOGWATCH_ENDPOINT: endpoint, DOGWATCH_SECRET_ID: 'id-1', DOGWATCH_SECRET_KEY: 'key-1',
    DOGWATCH_POLL_MS: '1', DOGWATCH_POLLS: '20',
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(__dirname, script), ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}

test('call.js prints the answer', async (t) => {
  const { calls, endpoint } = await serve(t, { DescribeAssetImageRegistryList: { TotalCount: 0, List: [] } });
  const { code, stdout } = await run('call.js', endpoint, 'DescribeAssetImageRegistryList', '{"Limit":5}');
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { TotalCount: 0, List: [], RequestId: 'request-1' });
  assert.deepEqual(calls[0].parameters, { Limit: 5 });
  assert.match(calls[0].authorization, /^TC3-HMAC-SHA256 Credential=id-1\//);
});

test('call.js prints the error code', async (t) => {
  const { endpoint } = await serve(t, { Nothing: { Error: { Code: 'InvalidAction', Message: 'no such action' } } });
  const { code, stdout } = await run('call.js', endpoint, 'Nothing');
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout), { Error: { Code: 'InvalidAction', Message: 'no such action', RequestId: 'request-1' } });
});

test('call.js refuses wrong usage without showing the key', async () => {
  for (const args of [[], ['Describe', '{broken']]) {
    const { code, stdout, stderr } = await run('call.js', 'http://127.0.0.1:1', ...args);
    assert.equal(code, 2);
    assert.ok(!(stdout + stderr).includes('key-1'));
  }
});

// list answers a list action with the page that is asked for.
function list(rows) {
  return ({ Limit, Offset }) => ({ TotalCount: rows.length, List: rows.slice(Offset, Offset + Limit) });
}

test('walk.js tells the whole story', async (t) => {
  let polls = 0;
  const vulnerabilities = ['CVE-1', 'CVE-2', 'CVE-3', 'CVE-4', 'CVE-5'].map((CVEID) => ({ CVEID }));
  const { calls, endpoint } = await serve(t, {
    AddAssetImageRegistryRegistryDetail: { HealthCheckErr: '', NameRepeatErr: '', RegistryId: 7 },
    DescribeAssetImageRegistryAssetStatus: { Status: 'success', Err: '', LatestSyncSuccessTime: '2026-01-01 00:00:00' },
    ModifyImageAuthorized: {},
    DescribeImageRegistryTimingScanTask: () => (++polls < 3
      ? { LastScanTime: null, ScanResult: null } : { LastScanTime: '2026-01-01 04:00:00', ScanResult: 'Success' }),
    UpdateImageRegistryTimingScanTask: {},
    DescribeAssetImageRegistryScanStatusOneKey: { Status: 'SCANNED', Schedule: 100 },
    DescribeAssetImageRegistryList: list([{ Id: 1, Namespace: 'shop', ImageName: 'web', ImageTag: '1.4' }]),
    DescribeAssetImageRegistryVulList: list(vulnerabilities),
    DescribeAssetImageRegistryVirusList: list([{ Path: '/srv/x' }]),
    DescribeAssetImageRegistryRiskInfoList: list([]),
  });
  const story = { task: { Enable: true, ScanPeriod: 1, ScanTime: '04:00' }, registry: { Name: 'r' }, pageSize: 2 };
  const { code, stdout, stderr } = await run('walk.js', endpoint, JSON.stringify(story));
  assert.equal(code, 0, stdout + stderr);
  const document = JSON.parse(stdout);
  assert.equal(document.RegistryId, 7);
  assert.equal(document.Task.ScanResult, 'Success');
  assert.equal(document.Images[0].Image, 'shop/web:1.4');
  assert.deepEqual(document.Images[0].Vulnerabilities, vulnerabilities);
  assert.deepEqual(stderr.trim().split('\n').map((line) => JSON.parse(line).step),
    ['registry-added', 'images-licensed', 'task-set', 'run-ended']);
  const update = calls.find((call) => call.action === 'UpdateImageRegistryTimingScanTask');
  assert.deepEqual(update.parameters, story.task);
});

test('walk.js reports a refused registry and a run that never ends', async (t) => {
  const refused = await serve(t, { AddAssetImageRegistryRegistryDetail: { HealthCheckErr: 'wrong password', NameRepeatErr: '', RegistryId: 0 } });
  const first = await run('walk.js', refused.endpoint, '{"task":{},"registry":{"Name":"r"}}');
  assert.equal(first.code, 1);
  assert.match(first.stdout, /wrong password/);

  const silent = await serve(t, { DescribeImageRegistryTimingScanTask: { LastScanTime: null }, UpdateImageRegistryTimingScanTask: {} });
  const second = await run('walk.js', silent.endpoint, '{"task":{}}');
  assert.equal(second.code, 1);
  assert.match(second.stdout, /gave up waiting for the scheduled run/);
});
