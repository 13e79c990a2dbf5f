// The official SDK, pointed at a Dogwatch server by the environment:
//
//   DOGWATCH_ENDPOINT    http://127.0.0.1:8080, or https://localhost:8443 with
//                        the server's CA in NODE_EXTRA_CA_CERTS
//   DOGWATCH_SECRET_ID   access key; the secret never stands on a command line,
//   DOGWATCH_SECRET_KEY  where every user of the machine could read it
//   DOGWATCH_SIGN_METHOD TC3-HMAC-SHA256 (default), HmacSHA256 or HmacSHA1
//   DOGWATCH_HTTP_METHOD POST (default) or GET
'use strict';

const { tcss } = require('tencentcloud-sdk-nodejs/tencentcloud/services/tcss');

// client makes an SDK client from the environment.
function client(env = process.env) {
  for (const name of ['DOGWATCH_ENDPOINT', 'DOGWATCH_SECRET_ID', 'DOGWATCH_SECRET_KEY']) {
    if (!env[name]) throw new Error(`${name} is not set`);
  }
  const endpoint = new URL(env.DOGWATCH_ENDPOINT);
  return new tcss.v20201101.Client({
    credential: { secretId: env.DOGWATCH_SECRET_ID, secretKey: env.DOGWATCH_SECRET_KEY },
    profile: {
      signMethod: env.DOGWATCH_SIGN_METHOD || 'TC3-HMAC-SHA256',
      language: env.DOGWATCH_LANGUAGE || 'en-US',
      httpProfile: {
        endpoint: endpoint.host,
        protocol: endpoint.protocol + '//',
        reqMethod: env.DOGWATCH_HTTP_METHOD || 'POST',
        reqTimeout: 60,
      },
    },
  });
}

// failure is an SDK exception as a plain document; the code is empty when the
// server could not be reached at all.
function failure(error) {
  return { Error: { Code: error.code || '', Message: error.message, RequestId: error.requestId || '' } };
}

module.exports = { client, failure };
