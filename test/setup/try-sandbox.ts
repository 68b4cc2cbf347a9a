import assert from 'node:assert/strict'
import type { Comparison } from '../../scripts/setup/try/beliefs.ts'
import type { TextReply } from '../sandbox/faults.ts'
import type { Reply } from '../sandbox/http.ts'
import type { Sandbox, SandboxSettings } from '../sandbox/start.ts'
import type { RunOptions } from '../support/run-script.ts'
import { fixture } from './sandbox.ts'

/** An account with a stack, in which what is believed of AWS can be tried. */
export async function triable(settings: SandboxSettings = {}) {
  const account = await fixture(settings)
  const { sandbox, setup } = account
  sandbox.s3.put('org-logs', 'AWSLogs/a.json.gz', 'x')
  await account.existingStack()
  const bucket = sandbox.cloudformation.stack('prestage').outputs.StagingBucket ?? ''
  return {
    ...account,
    bucket,
    /** Tries, and hands back what was compared. */
    tryIt: async (args: readonly string[] = [], more: RunOptions = {}) => {
      const ended = await setup(['--check', '--try', ...args, '--yes'], more)
      return { ...ended, comparisons: (ended.result?.comparisons ?? []) as Comparison[] }
    },
    assertNothingLeft: () => {
      assert.deepEqual(sandbox.s3.keys(bucket), [])
      assert.deepEqual(sandbox.athena.catalog.names(), [])
      const { endpoints, configs, models } = sandbox.sagemaker.names()
      assert.deepEqual([endpoints, configs, models], [[], [], []])
      const jobs = [...sandbox.sagemaker.trainingJobs.all.values()].map(({ status }) => status)
      assert.deepEqual(
        jobs.filter((status) => /InProgress|Stopping/.test(status)),
        [],
      )
      for (const { status } of sandbox.control.jobs()) assert.match(status, /^(Complete|Cancelled|Failed)$/)
      for (const { state } of sandbox.athena.queries.all) assert.match(state, /^(SUCCEEDED|FAILED|CANCELLED)$/)
      assert.deepEqual(sandbox.violations, [])
    },
  }
}

/** The endpoint is Creating until it is asked for the first time. */
export function heldUntilAsked(
  { faults, sagemaker }: Sandbox,
  instead: (reply: TextReply) => Reply = (reply) => reply,
): void {
  sagemaker.settings.hold = { kind: 'endpoint', stage: 'Creating' }
  const released = (reply: TextReply) => {
    sagemaker.release()
    return instead(reply)
  }
  faults.add({ operation: 'InvokeEndpoint', times: 1, instead: released })
}

/** Names of what is not as believed. */
export const differing = (comparisons: readonly Comparison[]): string[] =>
  comparisons.filter(({ as }) => as === 'not believed').map(({ id }) => id)

export const unseen = (comparisons: readonly Comparison[]): string[] =>
  comparisons.filter(({ as }) => as === 'not seen').map(({ id }) => id)
