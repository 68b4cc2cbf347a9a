import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { FolderBackend } from './s3/folder.ts'
import { modelsMissing, startSandbox } from './start.ts'

const USAGE = `usage: npm run --silent sandbox -- --logs DIR [--port N] [--region REGION]

A loopback AWS to rehearse with: bucket org-logs is the folder DIR, bucket org-staging is empty and kept in memory.
Prints the environment to use on stdout, then serves until it is stopped:

  npm run --silent sandbox -- --logs ./logs > sandbox.env &
  sleep 2; . ./sandbox.env`

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

function options(): { logs: string; port: number; region: string } {
  try {
    const { values } = parseArgs({
      options: {
        logs: { type: 'string' },
        port: { type: 'string', default: '0' },
        region: { type: 'string', default: 'us-east-1' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      process.stdout.write(`${USAGE}\n`)
      process.exit(0)
    }
    const { logs, port, region } = values
    if (logs === undefined) fail(USAGE)
    if (!existsSync(logs) || !statSync(logs).isDirectory()) fail(`sandbox: --logs ${logs} is not a folder`)
    if (!/^\d{1,5}$/.test(port)) fail(`sandbox: --port ${port} is not a port`)
    return { logs: resolve(logs), port: Number(port), region }
  } catch (error) {
    fail(`sandbox: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  }
}

const quote = (value: string): string => (/^[\w:/.@+-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`)

const { logs, port, region } = options()
const buckets = { 'org-logs': { backend: new FolderBackend(logs) }, 'org-staging': {} }
const paces = { jobs: { pace: 200 }, sagemaker: { pace: 200 }, athena: { pace: 100 } }
const sandbox = await startSandbox({ port, region, buckets, ...paces })
if (modelsMissing !== undefined) process.stderr.write(`sandbox: ${modelsMissing}\n`)
process.stdout.write(`# boto3 and the AWS CLI put the account before the host of S3 Control; its address for them:
# AWS_ENDPOINT_URL_S3_CONTROL=${sandbox.url.replace('127.0.0.1', 'localhost')}
`)
for (const [name, value] of Object.entries(sandbox.env)) process.stdout.write(`export ${name}=${quote(value)}\n`)

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    for (const violation of sandbox.violations) process.stderr.write(`sandbox: ${violation}\n`)
    sandbox.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
