import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { type Approval, type ConfirmSettings, confirm } from '../../../scripts/lib/cli/confirm.ts'
import { Declined } from '../../../scripts/lib/cli/errors.ts'
import { runScript, scriptPath, TOY } from '../../support/run-script.ts'
import { onTerminal, TERMINAL } from '../../support/terminal.ts'

const spend: Approval = { kind: 'spend', action: 'copy 812 objects', plan: [], usd: 1.25 }
const unknown: Approval = { kind: 'spend', action: 'query', plan: [] }
/** What was approved when it was made. */
const unasked: Approval = { ...spend, unasked: true }
const remove: Approval = { kind: 'delete', action: 'delete the endpoint', plan: [], typed: 'e-1' }
const settings = (change: Partial<ConfirmSettings> = {}): ConfirmSettings => ({
  yes: false,
  maxCost: undefined,
  interactive: true,
  ...change,
})

/** A terminal on which something is typed already; undefined closes it. */
function terminal(typed: string | undefined, isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY })
  const output = Object.assign(new PassThrough(), { isTTY })
  if (typed === undefined) input.end()
  else input.write(typed)
  return { input, output }
}

const agreed: [what: string, approval: Approval, change: Partial<ConfirmSettings>, typed: string | undefined][] = [
  ['--yes, nobody there', spend, { yes: true, interactive: false }, undefined],
  ['--yes for a deletion', remove, { yes: true }, undefined],
  ['--max-cost above', spend, { maxCost: 2 }, undefined],
  ['--max-cost equal', spend, { maxCost: 1.25 }, undefined],
  ['y', spend, {}, 'y\n'],
  ['YES and blanks', spend, {}, '  YES \n'],
  ['nothing is asked', unasked, { interactive: false }, undefined],
  ['nothing is asked, --max-cost above', unasked, { interactive: false, maxCost: 2 }, undefined],
  ['the name', remove, {}, 'e-1\n'],
  ['y, when nobody knows the cost', unknown, { maxCost: 5 }, 'y\n'],
]

for (const [what, approval, change, typed] of agreed)
  test(`agreed: ${what}`, () => confirm(approval, settings(change), terminal(typed)))

const declined: [
  what: string,
  approval: Approval,
  change: Partial<ConfirmSettings>,
  typed: string | undefined,
  says: RegExp,
][] = [
  ['closed input', spend, {}, undefined, /declined/],
  ['Enter', spend, {}, '\n', /declined/],
  ['n', spend, {}, 'n\n', /declined/],
  ['yeah', spend, {}, 'yeah\n', /declined/],
  ['a name is wanted, y comes', remove, {}, 'y\n', /declined/],
  ['another name', remove, {}, 'e-2\n', /declined/],
  ['--max-cost below', spend, { maxCost: 1.24 }, 'y\n', /about \$1.25, more than --max-cost 1.24/],
  ['--max-cost below, nothing is asked', unasked, { maxCost: 1.24 }, undefined, /more than --max-cost 1.24/],
  ['--max-cost nothing', spend, { maxCost: 0 }, 'y\n', /more than --max-cost 0/],
  ['an estimate that is no number', { ...spend, usd: Number.NaN }, { maxCost: 5 }, 'y\n', /more than --max-cost/],
  ['--max-cost does not delete', remove, { maxCost: 5 }, undefined, /declined/],
  ['a machine reads', spend, { interactive: false }, 'y\n', /nobody can be asked here/],
  ['a machine reads, --max-cost, unknown cost', unknown, { interactive: false, maxCost: 5 }, 'y\n', /nobody can be/],
]

for (const [what, approval, change, typed, says] of declined)
  test(`declined: ${what}`, () =>
    assert.rejects(
      confirm(approval, settings(change), terminal(typed)),
      (error) => error instanceof Declined && error.exitCode === 3 && says.test(error.message),
    ))

test('declined: no terminal, whatever is piped in; the hint names the flag', async () => {
  for (const [approval, hint] of [
    [spend, 'add --yes, or --max-cost USD'],
    [unknown, 'add --yes'],
    [remove, 'add --yes'],
  ] as const)
    for (const [input, output] of [
      [false, true],
      [true, false],
      [false, false],
    ]) {
      const half = { ...terminal('y\n', input), output: Object.assign(new PassThrough(), { isTTY: output }) }
      await assert.rejects(
        confirm(approval, settings(), half as never),
        (error) => error instanceof Declined && error.hint === hint,
      )
    }
})

test('the question goes to where it was told, and says what no answer means', async () => {
  const screen = terminal('y\n')
  await confirm(spend, settings(), screen)
  assert.match(String(screen.output.read()), /copy 812 objects\? \[y\/N\] /)
})

test('a stop ends the question', async () => {
  const stop = new AbortController()
  const asked = confirm(spend, settings(), terminal(''), stop.signal)
  stop.abort()
  await assert.rejects(asked, { name: 'AbortError' })
})

const piped: [args: string[], input: string, code: number, stdout: string][] = [
  [['--act', 'spends'], '', 3, ''],
  [['--act', 'spends'], 'y\n', 3, ''],
  [['--act', 'spends', '-o', 'json'], 'y\n', 3, ''],
  [['--act', 'spends', '--yes'], '', 0, 'spent\n'],
  [['--act', 'spends', '--max-cost', '1.25'], '', 0, 'spent\n'],
  [['--act', 'spends', '--max-cost', '1'], 'y\n', 3, ''],
  [['--act', 'spendsUnknown', '--max-cost', '1'], 'y\n', 3, ''],
  [['--act', 'deletes'], 'e-1\n', 3, ''],
  [['--act', 'deletes', '-y'], '', 0, 'deleted\n'],
]

for (const [args, input, code, stdout] of piped)
  test(`toy ${args.join(' ')} < ${JSON.stringify(input)}: ${code}`, async () => {
    const ended = await runScript(TOY, args, { input })
    assert.deepEqual([ended.stdout, ended.code], [stdout, code])
    if (args.includes('spends')) assert.match(ended.stderr, /^812 objects, 1.4 GB\nabout \$1.25\n/)
  })

test('toy --act spends --yes --quiet says nothing', async () =>
  assert.equal((await runScript(TOY, ['--act', 'spends', '--yes', '--quiet'])).stderr, ''))

const keys: [act: string, keys: string, code: number, says: RegExp][] = [
  ['spends', 'y\r', 0, /copy 812 objects\? \[y\/N\] .*y\r+\nspent/],
  ['spends', '\r', 3, /declined: nothing was changed/],
  ['spends', '\u0004', 3, /declined: nothing was changed/],
  ['spends', '\u0003', 130, /SIGINT: stopping/],
  ['deletes', 'e-1\r', 0, /Type e-1 to go on: .*e-1\r+\ndeleted/],
  ['deletes', 'yes\r', 3, /declined: nothing was changed/],
]

for (const [act, typed, code, says] of keys)
  test(`on a terminal: ${act}, ${JSON.stringify(typed)}: ${code}`, { skip: TERMINAL.missing }, async () => {
    let asked = false
    const ended = await onTerminal([process.execPath, scriptPath(TOY), '--act', act], {
      onSaid: (soFar, type) => {
        if (asked || !/\? \[y\/N\] |go on: /.test(soFar)) return
        asked = true
        type(typed)
      },
    })
    assert.match(ended.said, says)
    assert.equal(ended.code, code)
  })
