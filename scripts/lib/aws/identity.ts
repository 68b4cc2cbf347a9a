import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts'
import { explaining } from './errors.ts'

export interface Identity {
  readonly account: string
  readonly arn: string
}

/** Whose credentials are used. @throws UserError when there are none, or AWS does not take them */
export async function callerIdentity(client: STSClient): Promise<Identity> {
  const asked = { what: 'credentials', action: 'sts:GetCallerIdentity', resource: '*' }
  const { Account = '', Arn = '' } = await explaining(client.send(new GetCallerIdentityCommand({})), asked)
  return { account: Account, arn: Arn }
}
