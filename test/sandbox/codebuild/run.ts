import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { parse } from 'yaml'
import { tempFolder } from '../../support/temp.ts'
import { unzipped } from '../../support/zip.ts'
import type { Credentials } from '../identity.ts'
import { objectIn } from '../s3/state.ts'
import type { Sandbox } from '../start.ts'
import type { Build, Project, Schedule } from './codebuild.ts'

interface Phase {
  readonly 'on-failure'?: string
  readonly commands: readonly string[]
}

interface Buildspec {
  readonly phases: Readonly<Record<'install' | 'build', Phase>>
}

export interface NightSettings {
  /** Folders in which programs are looked for before those of Node and the system. */
  readonly path?: readonly string[]
  /** Besides what CodeBuild has there. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Lets a schedule start its project: the archive is unpacked into an empty folder, and the commands run there with what CodeBuild puts
 * into their environment and nothing else. They have credentials of the role as containers have them.
 */
export async function runNight(sandbox: Sandbox, settings: NightSettings = {}): Promise<Build> {
  const { codebuild } = sandbox
  const [schedule] = codebuild.schedules.values()
  const [project] = codebuild.projects.values()
  if (schedule === undefined || project === undefined) throw new Error('there are no nights')
  const build = started(sandbox, schedule, project)
  const archive = await fetched(sandbox, project)
  const folder = unpacked(archive)
  const { server, url } = await credentialsServer(roleCredentials(sandbox, project.role))
  try {
    const env = { ...environmentOf(sandbox, { project, build, url, path: settings.path ?? [] }), ...settings.env }
    const { phases } = parse(project.buildspec) as Buildspec
    let status = 'SUCCEEDED'
    for (const phase of [phases.install, phases.build]) {
      if (await runPhase(phase, build, { cwd: folder, env })) continue
      status = 'FAILED'
      // What follows a phase that has failed is only in a picture: here it is the next one, unless the buildspec says otherwise.
      if (phase['on-failure'] === 'ABORT') break
    }
    codebuild.end(build, status)
    return build
  } finally {
    server.close()
  }
}

interface Shell {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** Whether all commands of a phase have ended well; none follows one that has not. "phases" in "Build specification reference". */
async function runPhase({ commands }: Phase, build: Build, shell: Shell): Promise<boolean> {
  for (const command of commands) {
    const { isDone, output } = await runCommandLine(command, shell)
    build.output += output
    if (!isDone) return false
  }
  return true
}

const runCommandLine = (command: string, shell: Shell) =>
  new Promise<{ isDone: boolean; output: string }>((resolve) => {
    execFile('/bin/sh', ['-c', command], { ...shell, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ isDone: error === null, output: `${stdout}${stderr}` }),
    )
  })

/** "Using templated targets", Scheduler user guide; both services say for which account they take a role. */
function started({ codebuild, s3 }: Sandbox, schedule: Schedule, project: Project): Build {
  const { state } = s3
  const { account } = state
  const context = { 'aws:SourceAccount': account }
  state.authorize({ account, arn: 'scheduler.amazonaws.com' }, 'sts:AssumeRole', schedule.role, { context })
  state.authorize({ account, arn: schedule.role }, 'codebuild:StartBuild', schedule.target)
  const build = codebuild.add(project.name)
  state.authorize({ account, arn: 'codebuild.amazonaws.com' }, 'sts:AssumeRole', project.role, { context })
  return build
}

/** What a service role needs by "Create a CodeBuild service role", CodeBuild user guide, for a source in S3 and a log. */
async function fetched({ s3 }: Sandbox, { role, source, logGroup }: Project): Promise<Buffer> {
  const { state } = s3
  const caller = { account: state.account, arn: role }
  const [bucket = '', ...key] = source.split('/')
  for (const action of ['s3:GetBucketAcl', 's3:GetBucketLocation']) state.authorize(caller, action, bucket)
  for (const action of ['s3:GetObject', 's3:GetObjectVersion']) state.authorize(caller, action, source)
  const { encryption } = objectIn(state.bucket(bucket), key.join('/'))
  state.authorizeKey(caller, 'kms:Decrypt', encryption)
  // So IAM's own messages name a group that is to be made.
  const streams = state.arn('logs', `log-group:${logGroup}:log-stream:`)
  state.authorize(caller, 'logs:CreateLogGroup', streams)
  for (const action of ['CreateLogStream', 'PutLogEvents']) state.authorize(caller, `logs:${action}`, `${streams}night`)
  return s3.get(bucket, key.join('/'))
}

function unpacked(archive: Buffer): string {
  const folder = tempFolder()
  for (const [name, body] of unzipped(archive)) {
    mkdirSync(dirname(`${folder}/${name}`), { recursive: true })
    writeFileSync(`${folder}/${name}`, body)
  }
  return folder
}

/** Credentials that the sandbox knows from now on as those of a role. */
function roleCredentials({ credentials, account }: Sandbox, arn: string): Credentials {
  const known = credentials.find((one) => one.arn === arn)
  if (known !== undefined) return known
  const issued = {
    accessKey: `ASIASANDBOXROLE${credentials.length}`,
    secret: 'of+a/role',
    token: 'a token',
    account,
    arn,
  }
  credentials.push(issued)
  return issued
}

/** "Container credential provider", AWS SDKs and Tools reference guide. */
async function credentialsServer({ accessKey, secret, token }: Credentials) {
  const answer = { AccessKeyId: accessKey, SecretAccessKey: secret, Token: token, Expiration: '2100-01-01T00:00:00Z' }
  const server = createServer((_, response) => response.end(JSON.stringify(answer)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/role` }
}

interface Surroundings {
  readonly project: Project
  readonly build: Build
  readonly url: string
  readonly path: readonly string[]
}

/** "Environment variables in build environments", CodeBuild user guide; and where this AWS is. */
function environmentOf(
  { url: aws, s3 }: Sandbox,
  { project, build, url, path }: Surroundings,
): Readonly<Record<string, string>> {
  const { region } = s3.state
  return {
    PATH: [...path, dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
    HOME: tempFolder(),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: url,
    AWS_ENDPOINT_URL: aws,
    CODEBUILD_BUILD_ID: build.id,
    CODEBUILD_SRC_DIR: '.',
    ...project.environment,
  }
}
