import assert from 'node:assert/strict'
import { after } from 'node:test'
import { askedForScripts } from '../sandbox/access.ts'
import { isThorough } from './thorough.ts'

/** At the end of every process with test files: nothing that its scripts did needs more rights than the stack gives. */
async function prove(): Promise<void> {
  const asked = askedForScripts()
  if (asked.length === 0) return
  const { refusedEveryday } = await import('../cfn/rights/everyday.ts')
  assert.deepEqual(await refusedEveryday(asked), [], 'scripts need rights that cfn/prestage.yaml does not give')
}

// A part of the whole proof of rights, which runs with --all. Benchmarks run scripts, too, and are no tests.
if (process.env.NODE_TEST_CONTEXT !== undefined && isThorough) after(prove)
