import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts'
import { explained } from './errors.ts'

export interface Identity {
  readonly account: string
  readonly arn: string
}

/** Whose credentials are used. @throws UserError when there are none, or AWS does not take them */
export async function callerIdentity(client: STSClient): Promise<Identity> {
  try {
    const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}))
    return { account: Account, arn: Arn }
  } catch (error) {
    throw explained(error, { what: 'credentials', action: 'sts:GetCallerIdentity', resource: '*' })
  }
}
