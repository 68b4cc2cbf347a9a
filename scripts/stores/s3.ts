import { UserError } from '../cli/errors.ts'
import type { AwsSettings } from './open.ts'
import type { Store } from './store.ts'

export async function s3Store(location: { bucket: string; prefix: string }, _aws: AwsSettings): Promise<Store> {
  throw new UserError(`s3://${location.bucket}: S3 is not supported yet`, { hint: 'name a folder' })
}
