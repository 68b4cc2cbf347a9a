import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Context, silentContext } from '../../../scripts/lib/cli/command.ts'
import type { Approval } from '../../../scripts/lib/cli/confirm.ts'
import { named, together, withBudget } from '../../../scripts/lib/cli/contexts.ts'

const spend = (usd: number): Approval => ({ action: 'scan', plan: ['scan a lot'], kind: 'spend', usd })

/** A terminal on which every question waits for its answer. */
function terminal(signal = new AbortController().signal) {
  const said: string[] = []
  const answers: (() => void)[] = []
  const context: Context = silentContext({
    signal,
    talk: {
      info: (text) => said.push(text),
      warn: (text) => said.push(`warning: ${text}`),
      detail: (text) => said.push(`detail: ${text}`),
    },
    approve: ({ action, plan }) => {
      said.push(...plan, `${action}?`)
      return new Promise<void>((resolve) => answers.push(resolve))
    },
  })
  return { said, answers, context }
}

/** Lets everything go on that can. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('two that ask at once are asked one after the other, and each question names its source', async () => {
  const { said, answers, context } = terminal()
  const shared = together(context)
  const both = Promise.all(['cloudtrail', 'waf'].map((source) => named(shared, source).approve(spend(1))))
  await settle()
  assert.deepEqual(said, ['cloudtrail: scan a lot', 'cloudtrail: scan?'])
  answers[0]?.()
  await settle()
  assert.deepEqual(said.slice(2), ['waf: scan a lot', 'waf: scan?'])
  answers[1]?.()
  await both
})

test('while one asks the other holds its tongue', async () => {
  const { said, answers, context } = terminal()
  const shared = together(context)
  const [one, other] = [named(shared, 'cloudtrail'), named(shared, 'waf')]
  const progress = other.progress('training', 10, 'pairs')
  const asked = one.approve(spend(1))
  await settle()
  other.talk.info('a')
  other.talk.warn('b')
  other.talk.detail('c')
  progress.state('InProgress')
  assert.deepEqual(said, ['cloudtrail: scan a lot', 'cloudtrail: scan?'])
  answers[0]?.()
  await asked
  assert.deepEqual(said.slice(2), ['waf: a', 'warning: waf: b', 'detail: waf: c', 'waf: training: InProgress'])
  progress.advance(7)
  progress.end()
  assert.match(said.at(-1) ?? '', /^waf: training: 7 pairs in /)
})

test('one that says no does not answer for the other', async () => {
  let asked = 0
  const context = silentContext({
    approve: async () => {
      asked += 1
      if (asked === 1) throw new Error('declined')
    },
  })
  const shared = together(context)
  const ended = await Promise.allSettled([shared.approve(spend(1)), shared.approve(spend(1))])
  assert.deepEqual(
    ended.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  )
})

test('after a Ctrl-C nothing more is asked', async () => {
  const stop = new AbortController()
  const { said, answers, context } = terminal(stop.signal)
  const shared = together(context)
  const [first, second] = [shared.approve(spend(1)), shared.approve(spend(1))]
  await settle()
  stop.abort(new Error('interrupted'))
  answers[0]?.()
  await first
  await assert.rejects(second, /interrupted/)
  assert.equal(said.length, 2)
})

test('two approvals in flight do not both pass a limit that holds for them together', async () => {
  let spent = 0
  const context = silentContext({
    approve: async ({ usd = 0 }) => {
      await settle()
      spent += usd
    },
  })
  const shared = together(withBudget(context, 1, false))
  const ended = await Promise.allSettled([shared.approve(spend(0.6)), shared.approve(spend(0.6))])
  assert.equal(spent, 0.6)
  assert.match(String((ended[1] as PromiseRejectedResult).reason), /earlier steps have used \$0\.60 of --max-cost 1/)
})
