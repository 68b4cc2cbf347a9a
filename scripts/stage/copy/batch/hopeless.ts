import { UserError } from '../../../lib/cli/errors.ts'
import { count, plural } from '../../../lib/cli/format.ts'
import { reasonOfCode } from '../copier.ts'
import type { FailedTask } from './report.ts'

/** S3 fails a job when more than half of 1,000 tasks or more did. Another one would meet the same. */
export function hopeless(id: string, failed: ReadonlyMap<string, FailedTask>): UserError {
  const reasons = new Map<string, number>()
  for (const { code, message } of failed.values()) {
    const { reason } = reasonOfCode(code, message)
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  const [[reason, times] = ['', 0]] = [...reasons].sort(([, a], [, b]) => b - a)
  return new UserError(
    `S3 gave up job ${id}: ${plural(failed.size, 'task')} failed, ${count(times)} of them so: ${reason}`,
    {
      hint: 'once that is mended, the same command copies what is missing',
    },
  )
}

/** Why most tasks failed is not known, and another job would probably meet the same. */
export const hopelessUnread = (id: string, failures: number, unread: UserError): UserError =>
  new UserError(`S3 gave up job ${id}: ${plural(failures, 'task')} failed, and ${unread.message}`, {
    hint: 'S3 delivers no report to a bucket with retention by Object Lock, or one whose policy demands KMS; --copy direct tells of each object why',
    cause: unread,
  })
