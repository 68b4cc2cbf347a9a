import assert from 'node:assert/strict'
import { defaultCredentials } from '../../sandbox/identity.ts'
import { type Sandbox, startSandbox } from '../../sandbox/start.ts'
import { type RunOptions, runScript } from '../../support/run-script.ts'
import { tempFolder } from '../../support/temp.ts'

const ADMIN = defaultCredentials()
export const { account: ACCOUNT } = ADMIN
export const REGION = 'us-east-1'
const OPERATOR = { ...ADMIN, accessKey: 'AKIASANDBOXOPERATOR0', arn: `arn:aws:iam::${ACCOUNT}:user/operator` }
export const ADMIN_ARN = ADMIN.arn
export const OPERATOR_ARN = OPERATOR.arn
/** The organization's, as a trail into one bucket has it. */
export const LOGS_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`

const ENCRYPTED = { encryption: { algorithm: 'aws:kms', keyId: LOGS_KEY } } as const
export const LAKE = 'aws-security-data-lake-us-east-1-example'

export interface Account {
  readonly sandbox: Sandbox
  /** Runs a script as the administrator who deploys the stack. */
  readonly setup: (args: readonly string[]) => Promise<unknown>
  /** Runs a script as somebody who has the operator policies and nothing else; it succeeds. */
  readonly run: (script: string, args?: readonly string[]) => Promise<Record<string, unknown>>
  /** The same, without a look at how it ends. */
  readonly attempt: (script: string, args: readonly string[], options?: RunOptions) => ReturnType<typeof runScript>
}

/** An account with encrypted logs, and everything that is asked of IAM recorded. */
export async function startAccount(): Promise<Account> {
  const sandbox = await startSandbox({
    credentials: [ADMIN, OPERATOR],
    buckets: { 'org-logs': ENCRYPTED, [LAKE]: ENCRYPTED },
  })
  // As in an account that has never seen Athena.
  sandbox.athena.catalog.dropDatabase('default')
  sandbox.s3.state.accesses.record()
  const cwd = tempFolder()
  const as = (accessKey: string) => ({ ...sandbox.env, AWS_ACCESS_KEY_ID: accessKey })
  const attempt: Account['attempt'] = (script, args, options = {}) =>
    runScript(script, [...args, '--output', 'json'], { cwd, env: as(OPERATOR.accessKey), ...options })
  const done = async (script: string, args: readonly string[], accessKey: string) => {
    const { code, stdout, stderr } = await attempt(script, args, { env: as(accessKey) })
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  return {
    sandbox,
    attempt,
    run: (script, args = []) => done(script, args, OPERATOR.accessKey),
    setup: (args) => done('setup', args, ADMIN.accessKey),
  }
}
