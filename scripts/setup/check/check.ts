import { randomUUID } from 'node:crypto'
import { accountOfRole, uriOfObjects } from '../../lib/aws/arn.ts'
import type { Stack } from '../../lib/aws/cloudformation/stack.ts'
import { imageOf } from '../../lib/aws/sagemaker/image.ts'
import type { AwsSettings } from '../../lib/aws/settings.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { bytes } from '../../lib/cli/format.ts'
import { openStore } from '../../lib/stores/open.ts'
import { digestIn, shippedTemplate } from '../parameters.ts'
import type { OpenStack } from '../setup.ts'
import { lastNights, nightsAsShipped } from './nights.ts'

/** One line of --check. */
export interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly says: string
  /** What to do. */
  readonly hint?: string
}

interface CheckOptions {
  readonly stack: OpenStack
  readonly nights: OpenStack
  readonly settings: AwsSettings
  readonly nodeVersion: string
  readonly quotas: readonly Quota[]
}

/** A quota of SageMaker, which must not be zero. */
export interface Quota {
  readonly name: string
  /** The one option that needs it: without it a zero does no harm. */
  readonly only?: string
}

const OLDEST = [20, 18] as const

/** Checks everything that a run in AWS needs; a check that fails says why. */
export async function checkSetup(options: CheckOptions): Promise<Finding[]> {
  const { stack, settings, nodeVersion, quotas } = options
  const region = stack.region
  const findings = [
    await look('Node', async () => nodeFits(nodeVersion)),
    await look('credentials', async () => (await callerIn(settings, region)).arn),
    await look('image of the region', async () => imageOf(region)),
    await look('quotas', () => quotasIn(settings, region, quotas)),
  ]
  const found = await stack.find().catch(() => undefined)
  const usable = found !== undefined && stack.isUsable(found) ? found : undefined
  findings.push(
    await look('stack', async () => {
      if (found === undefined)
        throw new UserError(`there is no stack ${stack.name} in ${region}`, {
          hint: `npx zx scripts/setup.mjs --stack ${stack.name} --read-logs s3://bucket`,
        })
      if (usable === undefined) throw stack.stackFailure(found, await stack.events(found.id))
      return `${found.name} is ${found.status} in ${region}`
    }),
  )
  if (usable === undefined) return findings
  return [...findings, ...(await insideOf(stack, usable, settings)), ...(await ofNights(options))]
}

/** Nothing where there are no nights, or the caller may not know of any: the right to look comes with them. */
async function ofNights({ stack: main, nights, settings }: CheckOptions): Promise<Finding[]> {
  const stack = await nights.find().catch(() => undefined)
  if (stack === undefined) return []
  return [
    await look('nightly', () => nightsAsShipped(nights, stack, main)),
    await look('last nights', () => lastNights(nights, stack, settings)),
  ]
}

async function insideOf(opened: OpenStack, stack: Stack, settings: AwsSettings): Promise<Finding[]> {
  const { outputs } = stack
  const { region } = opened
  const output = (name: string): string => {
    const value = outputs[name]
    if (value !== undefined) return value
    throw new UserError(`stack ${stack.name} has no output ${name}`, { hint: 'update it: npx zx scripts/setup.mjs' })
  }
  const { LogsObjectArns = '', LakeObjectArns = '' } = outputs
  const logs = `${LogsObjectArns},${LakeObjectArns}`.split(',').filter((arn) => arn !== '')
  return [
    await look('template', () => asShipped(stack)),
    await look('resources', () => allComplete(opened, stack)),
    await look('workspace', () => workspaceTakes(output('Workspace'), settings)),
    ...(await Promise.all(
      logs.map((arn) => look(`logs ${uriOfObjects(arn)}`, () => logsRead(uriOfObjects(arn), settings))),
    )),
    await look('workgroup', () => workgroupIn(output('Workgroup'), settings, region)),
    await look('roles', async () => {
      const { account } = await callerIn(settings, region)
      const roles = [output('BatchRoleArn'), output('SageMakerRoleArn')]
      const foreign = roles.find((role) => accountOfRole(role) !== account)
      if (foreign !== undefined)
        throw new UserError(`${foreign} is in another account than ${account}`, {
          hint: 'use credentials of its account',
        })
      await Promise.all(['BatchRole', 'SageMakerRole'].map((role) => roleAsMade(opened, stack, role)))
      return roles.join(', ')
    }),
  ]
}

async function look(what: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, says: await work() }
  } catch (error) {
    const hint = error instanceof UserError ? error.hint : undefined
    return { what, ok: false, says: messageOf(error), ...(hint !== undefined && { hint }) }
  }
}

function nodeFits(version: string): string {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return version
  throw new UserError(`${version} is too old`, { hint: `install Node ${OLDEST.join('.')} or later` })
}

async function callerIn(settings: AwsSettings, region: string) {
  const [{ stsClient }, { callerIdentity }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/identity.ts'),
  ])
  return callerIdentity(await stsClient(settings, region))
}

async function quotasIn(settings: AwsSettings, region: string, asked: readonly Quota[]): Promise<string> {
  const [{ serviceQuotasClient }, { sagemakerQuotas }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/quotas.ts'),
  ])
  const names = asked.map(({ name }) => name)
  const found = await sagemakerQuotas(await serviceQuotasClient(settings, region), names)
  const none = asked.filter(({ name, only }) => only === undefined && found.get(name) === 0)
  if (none.length > 0)
    throw new UserError(`this account has none of ${none.map(({ name }) => `"${name}"`).join(', ')} in ${region}`, {
      hint: 'ask for one in the console of Service Quotas, under Amazon SageMaker, or name another --instance-type',
    })
  return asked.map((quota) => quotaText(quota, found.get(quota.name))).join(', ')
}

/** Names of quotas are AWS's words and may change: one that is not listed is told, and no failure. */
function quotaText({ name, only }: Quota, value: number | undefined): string {
  if (value === undefined) return `"${name}" is not listed`
  return `${name} ${value}${value === 0 && only !== undefined ? ` (only ${only} needs it)` : ''}`
}

/** Writes, reads and removes an object: what every step does. */
async function workspaceTakes(workspace: string, settings: AwsSettings): Promise<string> {
  const store = await openStore(workspace, settings)
  const key = `check-${randomUUID().slice(0, 8)}`
  await store.write(key, 'prestage setup --check\n')
  await store.text(key)
  await store.remove(key)
  return `${workspace} can be written, read and tidied`
}

async function logsRead(uri: string, settings: AwsSettings): Promise<string> {
  const store = await openStore(uri, settings)
  for await (const { key, size } of store.list()) {
    if (size === 0) continue
    for await (const _ of await store.read(key, { start: 0, end: 0 })) break
    return 'can be listed and read'
  }
  throw new UserError('nothing lies there', {
    hint: 'check the prefix: it ends before AWSLogs/, or names a part of it',
  })
}

async function workgroupIn(name: string, settings: AwsSettings, region: string): Promise<string> {
  const [{ athenaClient }, { readWorkgroup }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/athena/workgroup.ts'),
  ])
  let warned: string | undefined
  const { cutoff } = await readWorkgroup(await athenaClient(settings, region), name, region, (text) => {
    warned = text
  })
  if (warned !== undefined) throw new UserError(warned, { hint: 'attach the operator policy of the stack' })
  return `${name}${cutoff === undefined ? ', without a cutoff' : `, queries end at ${bytes(cutoff)}`}`
}

const setup = ({ name }: Pick<Stack, 'name'>): string => `npx zx scripts/setup.mjs --stack ${name}`

/** Whether the stack was made from the template of this version: an older one lacks rights that newer scripts need. */
async function asShipped(stack: Stack): Promise<string> {
  if (stack.outputs.Template === digestIn(await shippedTemplate())) return 'the one of this version'
  throw new UserError(`stack ${stack.name} was made from another template`, {
    hint: `${setup(stack)} shows what would change, and asks`,
  })
}

/** CloudFormation's own account of it: what an update has left undone, it goes on calling failed. */
async function allComplete(opened: OpenStack, stack: Stack): Promise<string> {
  const resources = await allowed(stack, () => opened.resources(stack.id))
  const undone = resources.find(({ status }) => !status.endsWith('_COMPLETE'))
  if (undone === undefined) return `${resources.length}, all complete`
  const { resource, type, status, reason } = undone
  throw new UserError(`${resource} (${type}) is ${status}${reason === undefined ? '' : `: ${reason}`}`, {
    hint: `when the cause is gone, ${setup(stack)} --restore makes it as the template says`,
  })
}

/** @throws UserError for a role that is gone, or is not as the stack made it */
async function roleAsMade(opened: OpenStack, stack: Stack, role: string): Promise<void> {
  const { status, changed } = await allowed(stack, () => opened.drift(role, stack.id))
  if (status === 'as made') return
  const says = {
    deleted: 'was deleted, and its stack does not know',
    changed: `was changed outside of its stack: ${changed.join(', ')}`,
    unknown: 'cannot be compared with what its stack made',
  }
  const hint =
    status === 'unknown'
      ? `look at it: aws cloudformation detect-stack-resource-drift --stack-name ${stack.name} --logical-resource-id ${role}`
      : `${setup(stack)} --restore shows what goes back to what the template says, and asks`
  throw new UserError(`${role} ${says[status]}`, { hint })
}

/** Who has the policy of an older stack lacks what this version asks for. */
async function allowed<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== 4) throw error
    const hint = `${error.hint}; the operator policy of this version has it: ${setup(stack)}`
    throw new UserError(error.message, { hint, cause: error, exitCode: 4 })
  }
}
