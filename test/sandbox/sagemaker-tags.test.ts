import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import { client, createJob, createModel, fails, sandbox, trained } from './sagemaker-client.ts'

const MODEL = 'arn:aws:sagemaker:us-east-1:111122223333:model/model-1'
const RUN = { Key: 'prestage:run', Value: '20261124-1' }
const tags = async (ResourceArn: string, more: Partial<sagemaker.ListTagsCommandInput> = {}) =>
  (await client.send(new sagemaker.ListTagsCommand({ ResourceArn, ...more }))).Tags
const add = (ResourceArn: string, Tags: sagemaker.Tag[]) =>
  client.send(new sagemaker.AddTagsCommand({ ResourceArn, Tags }))

describe('tags', () => {
  test('of a resource are given when it is created, added, replaced and removed', async () => {
    await createModel(await trained(), { Tags: [RUN] })
    assert.deepEqual(await tags(MODEL), [RUN])
    const other = { Key: 'team', Value: '' }
    assert.deepEqual((await add(MODEL, [other, { ...RUN, Value: 'r2' }])).Tags, [{ ...RUN, Value: 'r2' }, other])
    await client.send(new sagemaker.DeleteTagsCommand({ ResourceArn: MODEL, TagKeys: ['team', 'none'] }))
    assert.deepEqual(await tags(MODEL), [{ ...RUN, Value: 'r2' }])
    assert.deepEqual(sandbox.sagemaker.shared.tags.of(MODEL), { 'prestage:run': 'r2' })
  })

  test('of jobs stay, those of what is deleted do not', async () => {
    await createModel(await trained({ Tags: [RUN] }), { Tags: [RUN] })
    assert.deepEqual(await tags('arn:aws:sagemaker:us-east-1:111122223333:training-job/job-1'), [RUN])
    await client.send(new sagemaker.DeleteModelCommand({ ModelName: 'model-1' }))
    await fails(tags(MODEL), { name: 'ValidationException', message: `Could not find resource "${MODEL}".` })
  })

  test('are at most fifty, and none is called aws:', async () => {
    const many = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' }))
    await createJob({ Tags: many })
    const arn = 'arn:aws:sagemaker:us-east-1:111122223333:training-job/job-1'
    assert.equal((await tags(arn))?.length, 50)
    await fails(add(arn, [RUN]), { name: 'ResourceLimitExceeded', message: /more than 50 tags/ })
    await fails(add(arn, [{ Key: 'aws:x', Value: '' }]), { name: 'ValidationException', message: /reserved/ })
  })
})
