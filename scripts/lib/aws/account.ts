import { UsageError } from '../cli/errors.ts'

/** The account of a role. A Batch job runs in the account of its role: none can be passed to another account. */
export function accountOfRole(arn: string): string {
  const account = /^arn:aws[\w-]*:iam::(\d{12}):role\/.+$/.exec(arn)?.[1]
  if (account === undefined)
    throw new UsageError(
      `"${arn}" is not the ARN of a role`,
      'for example arn:aws:iam::111122223333:role/prestage-batch',
    )
  return account
}
