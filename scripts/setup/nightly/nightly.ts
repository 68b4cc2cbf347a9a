import { readFile } from 'node:fs/promises'
import type { Stack } from '../../lib/aws/cloudformation/stack.ts'
import type { AwsSettings } from '../../lib/aws/settings.ts'
import type { CommandResult, Context } from '../../lib/cli/command.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { facts, usd } from '../../lib/cli/format.ts'
import { PRICES } from '../../lib/runs/cost.ts'
import { knownSources, sourceOf } from '../../lib/sources/registry.ts'
import { openStore } from '../../lib/stores/open.ts'
import { defaultsIn, type Parameters } from '../parameters.ts'
import { currentStack, type OpenStack, openStack, removeStack, setUp } from '../setup.ts'
import { type Archive, archiveOfProject } from './archive.ts'
import { type NightlyOptions, sourcesOf, whatNightsDo } from './options.ts'

const TEMPLATE = new URL('../../../cfn/nightly.yaml', import.meta.url)
/** Where archives are in the workspace. */
const FOLDER = 'nightly/'

/** The stack with the nights of a stack. Its failures say how this one is deleted. */
export async function openNights(
  main: OpenStack,
  settings: AwsSettings,
  poll: number,
  context: Context,
): Promise<OpenStack> {
  const nights = await openStack(`${main.name}-nightly`, settings, poll, context)
  const removal = `npx zx scripts/setup.mjs --stack ${main.name} --nightly off`
  return { ...nights, stackFailure: (stack, events) => nights.stackFailure(stack, events, removal) }
}

/** What `setup --nightly` works on. */
export interface NightlySetup {
  readonly main: OpenStack
  readonly nights: OpenStack
  readonly settings: AwsSettings
  readonly dryRun: boolean
}

/** Makes or updates the stack that runs `nightly.mjs` every night. @throws UserError when the main stack does not stand */
export async function setUpNights(
  context: Context,
  setup: NightlySetup,
  chosen: NightlyOptions,
): Promise<CommandResult> {
  const { main, nights, settings, dryRun } = setup
  const stack = await mainStack(main)
  const existing = await currentStack(nights, context.talk)
  const template = await readFile(TEMPLATE, 'utf8')
  const doing = whatNightsDo(chosen, stack, existing)
  const archive = await archiveOfProject(sourcesOf(doing.Options).map(sourceOf))
  const known = { stack, existing, archive, defaults: defaultsIn(template) }
  const parameters: Parameters = { ...parametersOfNights(chosen, known), ...doing }
  const store = (await openStore(stack.outputs.Workspace ?? '', settings)).within(FOLDER)
  const done = await setUp(context, {
    stack: nights,
    existing,
    template,
    parameters,
    restore: false,
    tags: { 'prestage:stack': nights.name },
    dryRun,
    after: costLines(chosen.maxCost),
    prepare: async () => {
      if ((await store.head(archive.name)) === undefined) await store.write(archive.name, archive.body)
    },
  })
  const json = { stack: nights.name, region: nights.region, options: parameters.Options, schedule: parameters.Schedule }
  if (done.stack === undefined)
    return { json: { ...json, dryRun, changes: done.changes }, text: ['would', ...done.plan].join('\n') }
  if (dryRun) return { json: { ...json, dryRun, changes: [] }, text: `stack ${nights.name}: nothing to change` }
  for await (const { key } of store.list()) if (key !== archive.name) await store.remove(key)
  const action = existing === undefined ? 'created' : done.changes === undefined ? 'unchanged' : 'updated'
  const { outputs } = done.stack
  return {
    json: { ...json, action, changes: done.changes ?? [], outputs, archive: archive.name },
    text: facts([
      ['nights', `stack ${nights.name} in ${nights.region}: ${action === 'unchanged' ? 'nothing to change' : action}`],
      ['runs', `npx zx scripts/nightly.mjs ${parameters.Options}`],
      ['at', `${parameters.Schedule}, UTC`],
      ['tells', tellsText(outputs.Topic, parameters.NotifyEmail ?? existing?.parameters.NotifyEmail)],
      ['policy', `${outputs.OperatorNightlyPolicyArn ?? ''} (besides, for setup --check)`],
    ]),
    next: `npx zx scripts/setup.mjs --check --stack ${main.name}`,
  }
}

const tellsText = (topic = '', email = ''): string =>
  email === ''
    ? `${topic} (nobody is subscribed yet: --notify EMAIL)`
    : `${email}, which must agree by a link in a message first`

async function mainStack(main: OpenStack): Promise<Stack> {
  const found = await main.find()
  if (found !== undefined && main.isUsable(found) && found.outputs.Workspace !== undefined) return found
  throw new UserError(
    `there is no finished stack ${main.name} in ${main.region}, and the nights work in its workspace`,
    {
      hint: `npx zx scripts/setup.mjs --stack ${main.name} makes it first; or name another --stack`,
    },
  )
}

interface Known {
  readonly stack: Stack
  readonly existing: Stack | undefined
  readonly archive: Archive
  readonly defaults: Stack['parameters']
}

/** Parameters of the nightly template besides what nights do; what is not named stays as it is. */
function parametersOfNights(chosen: NightlyOptions, { stack, existing, archive, defaults }: Known): Parameters {
  const { nightly, notify } = chosen
  if (nightly === undefined || nightly === 'off') throw new Error('no time of night')
  const { StagingBucket, Workspace = '', OperatorPolicyArn, OperatorModelPolicyArn } = stack.outputs
  const kept = Object.keys(existing?.parameters ?? {}).filter((name) => Object.hasOwn(defaults, name))
  return {
    ...Object.fromEntries(kept.map((name) => [name, undefined])),
    Stack: stack.name,
    Bucket: StagingBucket,
    Archive: `${Workspace.replace(/^s3:\/\/[^/]+\//, '')}/${FOLDER}${archive.name}`,
    OperatorPolicyArn,
    OperatorModelPolicyArn,
    PermissionsBoundaryArn: stack.parameters.PermissionsBoundaryArn ?? '',
    Schedule: `cron(${nightly.minute} ${nightly.hour} * * ? *)`,
    ...(notify !== undefined && { NotifyEmail: notify === 'none' ? '' : notify }),
  }
}

/** When the nights of a stack begin: `cron(30 2 * * ? *)` → `02:30` */
export function timeOfNights({ parameters }: Stack): string {
  const [, minute = '', hour = ''] = /^cron\((\d+) (\d+) /.exec(parameters.Schedule ?? '') ?? []
  return `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
}

/** Nights that run something else than what would be set up here, and what to do about it. */
export interface OlderNights {
  readonly says: string
  readonly hint: string
}

/** Undefined for nights that run this version, with the same definitions of their sources. */
export async function olderNights(nights: Stack, main: OpenStack): Promise<OlderNights | undefined> {
  const ids = sourcesOf(nights.parameters.Options)
  const found = knownSources().filter(({ id }) => ids.includes(id))
  const missing = ids.find((id) => !found.some((source) => source.id === id))
  if (missing !== undefined)
    return {
      says: `the nights judge ${missing}, and prestage.yaml has no such source here`,
      hint: `run this where prestage.yaml defines ${missing}: docs/sources.md`,
    }
  const { name } = await archiveOfProject(ids.map(sourceOf))
  if (nights.parameters.Archive?.endsWith(`/${name}`)) return undefined
  const own = found.filter(({ given }) => given !== undefined).map(({ id }) => id)
  return {
    says: `the nights run another version than this one${own.length === 0 ? '' : `, or another definition of ${own.join(' or ')}`}`,
    hint: `npx zx scripts/setup.mjs --stack ${main.name} --nightly ${timeOfNights(nights)} puts this one in place`,
  }
}

/** Says so after a stack was updated, when its nights were not. */
export async function warnOfOlderNights(context: Context, nights: OpenStack, main: OpenStack): Promise<void> {
  const found = await nights.find()
  const older = found === undefined ? undefined : await olderNights(found, main)
  if (older !== undefined) context.talk.warn(`${older.says}: ${older.hint}`)
}

/** Nights of a month, and minutes of one: an installation, the steps on one day, and now and then the wait for a training. */
const [NIGHTS, MINUTES] = [30, 15] as const

function costLines(maxCost: number | undefined): string[] {
  const month = NIGHTS * MINUTES * PRICES.codebuildMinute + PRICES.alarmMonth
  const bound =
    maxCost === undefined ? 'nothing bounds it: --max-cost USD does' : `at most ${usd(maxCost)} a night (--max-cost)`
  return [
    `  a month costs about ${usd(month)} for ${NIGHTS} nights of ${MINUTES} minutes in CodeBuild and an alarm (${PRICES.region}, ${PRICES.date}),`,
    `  and what the steps of a night cost: ${bound}`,
  ]
}

/** Takes the stack with the nights away, and their archives. */
export async function takeNightsAway(context: Context, setup: NightlySetup): Promise<CommandResult> {
  const { main, nights, settings, dryRun } = setup
  const found = await nights.find()
  if (found === undefined)
    return {
      json: { stack: nights.name, deleted: false },
      text: `there is no stack ${nights.name} in ${nights.region}`,
    }
  const plan = [
    `delete stack ${nights.name} in ${nights.region}: its schedule, build project, roles, topic and log`,
    '  runs, models and reports stay, and so does the stack that they belong to',
  ]
  if (dryRun) return { json: { stack: nights.name, dryRun }, text: ['would', ...plan].join('\n') }
  await context.approve({ action: `delete stack ${nights.name}`, plan, kind: 'delete' })
  await removeStack({ stack: nights, found })
  const workspace = (await main.find())?.outputs.Workspace
  if (workspace !== undefined) {
    const store = (await openStore(workspace, settings)).within(FOLDER)
    for await (const { key } of store.list()) await store.remove(key)
  }
  return { json: { stack: nights.name, deleted: true }, text: `stack ${nights.name} is deleted` }
}
