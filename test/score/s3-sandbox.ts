import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import * as sm from '@aws-sdk/client-sagemaker'
import { tagsOf } from '../../scripts/lib/aws/sagemaker/names.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { type Sandbox, type SandboxSettings, startSandbox } from '../sandbox/start.ts'
import { BUCKET, ROLE, runInS3, type Twins, WORKSPACE } from '../support/run-in-s3.ts'
import { type RunOptions, runScript } from '../support/run-script.ts'

const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/ipinsights:1'

export interface Fixture extends Twins {
  readonly sandbox: Sandbox
  readonly client: sm.SageMakerClient
  /** Runs a script on the run. */
  script(name: string, args?: readonly string[], options?: RunOptions): ReturnType<typeof runScript>
  /** The same, successfully: its result. */
  done(name: string, args?: readonly string[], options?: RunOptions): Promise<Record<string, unknown>>
  verdicts(): Promise<Verdict[]>
  /** Text of an object of the run; undefined when there is none. */
  text(key: string): Promise<string | undefined>
  /** An endpoint with the run's model, noted as deploy does. */
  deploy(change?: { readonly name?: string; readonly model?: string; readonly noted?: boolean }): Promise<string>
}

const open: Sandbox[] = []

afterEach(async () => {
  for (const sandbox of open.splice(0)) {
    await sandbox.close()
    assert.deepEqual(sandbox.violations, [])
  }
})

/** A sandbox with a trained run in it. */
export async function fixture(settings: SandboxSettings = {}, run: { calibrated?: boolean } = {}): Promise<Fixture> {
  const sandbox = await startSandbox({ buckets: { [BUCKET]: {} }, ...settings })
  open.push(sandbox)
  const twins = await runInS3(sandbox, run)
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = sandbox.env
  const client = new sm.SageMakerClient({
    endpoint: sandbox.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  })
  const script = (name: string, args: readonly string[] = [], options: RunOptions = {}) =>
    runScript(name, ['--workspace', WORKSPACE, '--output', 'json', ...args], { env: sandbox.env, ...options })
  const text = async (key: string) =>
    sandbox.s3.head(BUCKET, twins.at(key)) && (await sandbox.s3.get(BUCKET, twins.at(key))).toString()
  return {
    ...twins,
    sandbox,
    client,
    script,
    text,
    done: async (name, args, options) => {
      const { code, stdout, stderr } = await script(name, args, options)
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout) as Record<string, unknown>
    },
    verdicts: async () => {
      const lines = ((await text('scores/holdout/verdicts.ndjson')) ?? '').trimEnd().split('\n')
      return lines.map((line) => JSON.parse(line) as Verdict)
    },
    deploy: async ({ name = 'prestage-endpoint', model = twins.model, noted = true } = {}) => {
      const Tags = tagsOf(twins.id, WORKSPACE)
      await client.send(
        new sm.CreateModelCommand({
          ModelName: `${name}-model`,
          ExecutionRoleArn: ROLE,
          PrimaryContainer: { Image: IMAGE, ModelDataUrl: model },
          Tags,
        }),
      )
      await client.send(
        new sm.CreateEndpointConfigCommand({
          EndpointConfigName: `${name}-config`,
          ProductionVariants: [
            {
              VariantName: 'AllTraffic',
              ModelName: `${name}-model`,
              ServerlessConfig: { MemorySizeInMB: 3072, MaxConcurrency: 5 },
            },
          ],
          Tags,
        }),
      )
      await client.send(
        new sm.CreateEndpointCommand({ EndpointName: name, EndpointConfigName: `${name}-config`, Tags }),
      )
      await sandbox.sagemaker.settle()
      const note = { sagemaker: name, region: 'us-east-1', config: `${name}-config`, model: 'digest' }
      if (noted) sandbox.s3.put(BUCKET, twins.at('endpoint/endpoint.json'), JSON.stringify(note))
      return name
    },
  }
}
