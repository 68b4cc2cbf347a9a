import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sourceOf } from '../../scripts/lib/sources/registry.ts'
import { answersOver } from '../support/answers.ts'
import { cloudfrontAs, FORMS } from '../support/cloudfront-forms.ts'
import { fewObjects } from '../support/few-objects.ts'
import { tempFolder } from '../support/temp.ts'

const SQL = 'select * from accesses order by all'

describe('logs of CloudFront give the same rows', async () => {
  const source = sourceOf('cloudfront')
  const logs = await fewObjects({ sources: ['cloudfront'] })
  const expected = await answersOver(source, logs, SQL)

  for (const form of FORMS)
    it(`as ${form}, with other fields in another order`, async () => {
      const folder = tempFolder()
      const keys = await cloudfrontAs(form, logs, folder)
      assert.ok(keys.length > 4 && expected.length > 500)
      assert.deepEqual(await answersOver(source, folder, SQL), expected)
    })
})
