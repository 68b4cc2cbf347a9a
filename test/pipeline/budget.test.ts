import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import type { Approval } from '../../scripts/lib/cli/confirm.ts'
import { withBudget } from '../../scripts/lib/cli/contexts.ts'

const spend = (usd: number): Approval => ({ action: 'scan', plan: [], kind: 'spend', usd })

function asked() {
  const seen: number[] = []
  const context = silentContext({
    approve: async ({ usd = 0 }) => {
      seen.push(usd)
    },
  })
  return { seen, context }
}

test('one limit holds for all steps together', async () => {
  const { seen, context } = asked()
  const limited = withBudget(context, 1, false)
  await limited.approve(spend(0.4))
  await limited.approve(spend(0.6))
  await assert.rejects(limited.approve(spend(0.01)), /earlier steps have used \$1\.00 of --max-cost 1/)
  assert.deepEqual(seen, [0.4, 0.6])
})

test('what alone is too much is left to the one who asks always', async () => {
  const { seen, context } = asked()
  await withBudget(context, 1, false).approve(spend(2))
  assert.deepEqual(seen, [2])
})

test('without a limit, or with yes, nothing changes', () => {
  const { context } = asked()
  assert.equal(withBudget(context, undefined, false), context)
  assert.equal(withBudget(context, 1, true), context)
})

test('deleting costs nothing', async () => {
  const { seen, context } = asked()
  const limited = withBudget(context, 1, false)
  await limited.approve(spend(1))
  await limited.approve({ action: 'remove', plan: [], kind: 'delete' })
  assert.deepEqual(seen, [1, 0])
})
