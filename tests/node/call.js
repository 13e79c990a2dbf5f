#!/usr/bin/env node
// One call through the official SDK.
//
//   node call.js ACTION [JSON]
//
// Prints the answer as JSON and ends with 0, or prints
// {"Error":{"Code","Message","RequestId"}} and ends with 1. Wrong usage ends
// with 2. Endpoint and key come from the environment, see sdk.js.
'use strict';

const sdk = require('./sdk');

async function main([action, text = '{}']) {
  if (!action) {
    console.error('usage: node call.js ACTION [JSON]');
    return 2;
  }
  const parameters = JSON.parse(text);
  const client = sdk.client();
  try {
    console.log(JSON.stringify(await client.request(action, parameters)));
    return 0;
  } catch (error) {
    console.log(JSON.stringify(sdk.failure(error)));
    return 1;
  }
}

main(process.argv.slice(2)).then(
  (code) => { process.exitCode = code; },
  (error) => {
    console.error(`call.js: ${error.message}`);
    process.exitCode = 2;
  },
);
