import { gunzipSync } from 'node:zlib'
import * as v from 'valibot'
import { messageOf, UserError } from '../../../lib/cli/errors.ts'
import { fitted, time } from '../../../lib/cli/shapes.ts'
import type { Store } from '../../../lib/stores/store.ts'

const date = v.pipe(
  time,
  v.transform((text) => new Date(text)),
)

/** What is used of a digest. Field names: "CloudTrail digest file structure", CloudTrail user guide. */
const digestSchema = v.object({
  digestS3Object: v.string(),
  digestStartTime: date,
  digestEndTime: date,
  previousDigestS3Object: v.optional(v.nullable(v.string())),
  logFiles: v.array(
    v.object({
      s3Bucket: v.string(),
      s3Object: v.string(),
      hashAlgorithm: v.optional(v.string()),
      hashValue: v.string(),
      oldestEventTime: date,
      newestEventTime: date,
    }),
  ),
})

export type Digest = v.InferOutput<typeof digestSchema>

/** Reads a digest. @throws UserError naming it when it cannot be read */
export async function readDigest(store: Store, key: string): Promise<Digest> {
  const chunks: Buffer[] = []
  for await (const chunk of await store.read(key)) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  try {
    const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
    return fitted(digestSchema, JSON.parse(text.toString('utf8')))
  } catch (error) {
    throw new UserError(`the digest ${JSON.stringify(key)} cannot be read: ${messageOf(error)}`, {
      hint: 'stage with --keys list, which needs no digests',
    })
  }
}
