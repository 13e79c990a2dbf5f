// What a user does with the scheduled scan, step by step, over an SDK client.
'use strict';

// paged reads a whole list action, page by page.
async function paged(client, action, parameters, size) {
  const rows = [];
  for (;;) {
    const page = await client[action]({ ...parameters, Limit: size, Offset: rows.length });
    rows.push(...page.List);
    if (page.List.length === 0 || rows.length >= page.TotalCount) {
      if (rows.length !== page.TotalCount) {
        throw new Error(`${action} says ${page.TotalCount} rows and lists ${rows.length}`);
      }
      return rows;
    }
  }
}

// until asks again and again until the answer satisfies, and returns it.
async function until(what, ask, satisfied, { pollMillis, attempts, pause }) {
  for (let i = 0; i < attempts; i++) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    await pause(pollMillis);
  }
  throw new Error(`gave up waiting for ${what} after ${attempts} questions`);
}

// addRegistry adds a registry, waits for its first synchronisation and licenses
// what it brought.
async function addRegistry(client, registry, options) {
  const added = await client.AddAssetImageRegistryRegistryDetail(registry);
  if (added.HealthCheckErr || added.NameRepeatErr) {
    throw new Error(`the registry was not added: ${added.HealthCheckErr || added.NameRepeatErr}`);
  }
  options.tell('registry-added', { RegistryId: added.RegistryId });
  const state = await until('the synchronisation',
    () => client.DescribeAssetImageRegistryAssetStatus({}),
    (answer) => answer.Status !== 'doing' && (answer.LatestSyncSuccessTime || answer.Status === 'failed'), options);
  if (state.Status === 'failed') throw new Error(`the synchronisation failed: ${state.Err}`);
  await client.ModifyImageAuthorized({
    AllLocalImages: false, AllRegistryImages: true, UpdatedLocalImageCnt: 0, UpdatedRegistryImageCnt: 100000,
    ImageSourceType: 'ASSETIMAGE',
  });
  options.tell('images-licensed', {});
  return added.RegistryId;
}

// runTask sets the timing task and waits until a run that began afterwards has ended.
async function runTask(client, task, options) {
  const before = await client.DescribeImageRegistryTimingScanTask({});
  await client.UpdateImageRegistryTimingScanTask(task);
  options.tell('task-set', {});
  const after = await until('the scheduled run',
    () => client.DescribeImageRegistryTimingScanTask({}),
    (answer) => answer.LastScanTime && answer.LastScanTime !== before.LastScanTime && answer.ScanResult, options);
  const status = await until('the end of the run',
    () => client.DescribeAssetImageRegistryScanStatusOneKey({}),
    (answer) => !['SCANNING', 'NOT_SCAN'].includes(answer.Status), options);
  options.tell('run-ended', { Status: status.Status });
  return { task: after, status };
}

// findings reads the three lists of one image.
async function findings(client, image, size) {
  const id = { Id: image.Id };
  const vulnerabilities = await paged(client, 'DescribeAssetImageRegistryVulList', id, size);
  const viruses = await paged(client, 'DescribeAssetImageRegistryVirusList', id, size);
  const risks = await paged(client, 'DescribeAssetImageRegistryRiskInfoList', id, size);
  return {
    Image: `${image.Namespace}/${image.ImageName}:${image.ImageTag}`.replace(/^\//, ''),
    Row: image,
    Vulnerabilities: vulnerabilities,
    Viruses: viruses,
    Risks: risks,
  };
}

// walk is the whole story; it returns one document with all that was read.
async function walk(client, { registry, task, pageSize }, options) {
  const registryId = registry ? await addRegistry(client, registry, options) : 0;
  const run = await runTask(client, task, options);
  const rows = await paged(client, 'DescribeAssetImageRegistryList', {}, pageSize);
  const images = [];
  for (const row of rows) images.push(await findings(client, row, pageSize));
  images.sort((a, b) => (a.Image < b.Image ? -1 : 1));
  return { RegistryId: registryId, Task: run.task, Status: run.status, Images: images };
}

module.exports = { walk, paged, until };
