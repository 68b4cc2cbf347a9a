import assert from 'node:assert/strict'
import { after } from 'node:test'
import { askedForScripts } from '../sandbox/access.ts'

/** At the end of every file of tests: nothing that its scripts have done needs more rights than the stack gives. */
async function prove(): Promise<void> {
  const asked = askedForScripts()
  if (asked.length === 0) return
  const { refusedEveryday } = await import('../cfn/rights/everyday.ts')
  assert.deepEqual(await refusedEveryday(asked), [], 'scripts need rights that cfn/prestage.yaml does not give')
}

// Benches run scripts, too, and are no tests.
if (process.env.NODE_TEST_CONTEXT !== undefined) after(prove)
