import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runScript } from '../support/run-script.ts'
import { stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

/** A name with all that separates, quotes or escapes. */
const NAME = `it's "a", b%2Ec. \\ $(id)`
const workspace = tempFolder()
const record = (principalId: string, sourceIPAddress: string, hour: number) => ({
  eventTime: `2026-03-02T0${hour}:00:00Z`,
  eventID: principalId + sourceIPAddress + hour,
  eventName: 'GetObject',
  eventSource: 's3.amazonaws.com',
  awsRegion: 'us-east-1',
  sourceIPAddress,
  userIdentity: { type: 'IAMUser', principalId, accountId: '012345678901' },
})
const Records = [
  record(NAME, '52.94.76.9', 2),
  record(NAME, '8.8.8.8', 8),
  record(NAME, '8.8.8.8', 9),
  record('AIDA1', '52.94.76.9', 3),
  record('AIDA1', '52.94.76.90', 2),
  record('AIDA1', '52.94.7.9', 2),
]
const ready = stagedRun(workspace, { 'a.json': JSON.stringify({ Records }) })

async function ask(...args: string[]) {
  await ready
  return runScript('query', ['--workspace', workspace, '--output', 'json', ...args])
}
const cells = (stdout: string, ...names: string[]) =>
  JSON.parse(stdout).rows.map((row: Record<string, unknown>) => names.map((name) => row[name]))

test('where one entity comes from, whatever its name is', async () => {
  const { stdout, stderr } = await ask('addresses-of-entity', '--entity-name', NAME)
  assert.deepEqual(
    cells(stdout, 'ip', 'first_time'),
    [
      ['8.8.8.8', '2026-03-02T08:00:00.000Z'],
      ['52.94.76.9', '2026-03-02T02:00:00.000Z'],
    ],
    stderr,
  )
})

test('who comes from an address, and from the network around it', async () => {
  const { stdout, stderr } = await ask('entities-of-address', '--ip', '52.94.76.9')
  assert.deepEqual(
    cells(stdout, 'ip', 'entity'),
    [
      ['52.94.76.9', 'AIDA1'],
      ['52.94.76.9', NAME],
      ['52.94.76.90', 'AIDA1'],
    ],
    stderr,
  )
})

test('what an entity did from an address, and from wherever before and after it', async () => {
  const there = await ask('entity-calls', '--entity-name', NAME, '--ip', '52.94.76.9')
  assert.deepEqual(
    cells(there.stdout, 'event_time', 'event_source', 'event_name'),
    [['2026-03-02T02:00:00.000Z', 's3.amazonaws.com', 'GetObject']],
    there.stderr,
  )
  const around = await ask('entity-calls-around', '--entity-name', NAME, '--ip', '52.94.76.9')
  assert.deepEqual(
    cells(around.stdout, 'event_time', 'ip'),
    [
      ['2026-03-02T02:00:00.000Z', '52.94.76.9'],
      // Six hours later, and no more.
      ['2026-03-02T08:00:00.000Z', '8.8.8.8'],
    ],
    around.stderr,
  )
})

const refused: [what: string, args: string[], says: RegExp][] = [
  [
    'no entity beside the address',
    ['entity-calls', '--ip', '8.8.8.8'],
    /is about one entity\n {2}add --entity-name NAME/,
  ],
  ['no entity', ['addresses-of-entity'], /is about one entity\n {2}add --entity-name NAME/],
  ['no address', ['entities-of-address'], /is about one address\n {2}add --ip ADDRESS/],
  ['no valid address', ['entities-of-address', '--ip', "1.2.3.4' or '1"], /--ip .*must be an address/],
]
for (const [what, args, says] of refused)
  test(`a question about one, and ${what}`, async () => {
    const { stderr, code } = await ask(...args)
    assert.match(stderr, says)
    assert.equal(code, 2)
  })
