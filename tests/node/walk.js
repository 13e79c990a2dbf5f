#!/usr/bin/env node
// The user's story through the official SDK: add a registry (if one is given),
// set the timing task, wait for its run, read every list to the end, and print
// one JSON document.
//
//   node walk.js '{"task": {...}, "registry": {...}, "pageSize": 3}'
//
// Progress goes to standard error as JSON lines, {"step":"task-set"}, so that a
// test which owns the server's clock knows when to move it. Endpoint and key come
// from the environment (see sdk.js); DOGWATCH_POLL_MS is the pause between two
// questions (default 250), DOGWATCH_POLLS how many are asked (default 1200).
'use strict';

const { setTimeout: pause } = require('node:timers/promises');
const sdk = require('./sdk');
const { walk } = require('./story');

async function main([text]) {
  if (!text) {
    console.error('usage: node walk.js \'{"task": {...}, "registry": {...}, "pageSize": 3}\'');
    return 2;
  }
  const { task, registry, pageSize = 3 } = JSON.parse(text);
  if (!task) throw new Error('the argument has no "task"');
  const client = sdk.client();
  const options = {
    pollMillis: Number(process.env.DOGWATCH_POLL_MS || 250),
    attempts: Number(process.env.DOGWATCH_POLLS || 1200),
    pause,
    tell: (step, more) => console.error(JSON.stringify({ step, ...more })),
  };
  try {
    console.log(JSON.stringify(await walk(client, { task, registry, pageSize }, options)));
    return 0;
  } catch (error) {
    console.log(JSON.stringify(sdk.failure(error)));
    return 1;
  }
}

main(process.argv.slice(2)).then(
  (code) => { process.exitCode = code; },
  (error) => {
    console.error(`walk.js: ${error.message}`);
    process.exitCode = 2;
  },
);
