import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The newest that runs on Java 17. */
export const VERSION = '435'

/** The core of the server, and a plugin that keeps tables in memory: no file system, no metastore. */
const ARTIFACTS = { server: 'trino-main', memory: 'trino-memory' } as const
const PLUGIN = 'io.trino.plugin.memory.MemoryPlugin'
/** Copies a project's dependencies; the version is one that Maven's checksum policy `fail` was tried with. */
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'

const run = promisify(execFile)

export interface Trino {
  /** Class path of the server, with `*` at its end. */
  readonly classes: string
  /** Folder of plugins. */
  readonly plugins: string
}

/** Where downloads are kept between runs. */
const cacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'prestage', `trino-${VERSION}`)

/** Gets Trino's jars from Maven Central, about 110 MB, unless they are there. Returns the reason where that is not possible. */
export async function install(): Promise<Trino | string> {
  const java = await versionOf('java', ['-version'])
  if (java === undefined || java < 17) return 'no Java 17'
  const folder = cacheFolder()
  const found = { classes: join(folder, 'server', '*'), plugins: join(folder, 'plugins') }
  if (existsSync(join(folder, 'complete'))) return found
  if ((await versionOf('mvn', ['-version'])) === undefined) return 'no Maven'
  try {
    await copyJars(folder, 'server', join(folder, 'server'))
    await copyJars(folder, 'memory', join(folder, 'plugins', 'memory'))
  } catch (error) {
    const said = String((error as { stdout?: string }).stdout ?? error)
    return `Maven cannot get Trino ${VERSION}: ${/\[ERROR\] (.*)/.exec(said)?.[1]?.slice(0, 300) ?? said.slice(0, 300)}`
  }
  // Trino finds a plugin's class as a service of its jars; here one folder more stands for the jar that says so.
  const services = join(folder, 'plugins', 'memory', 'services', 'META-INF', 'services')
  mkdirSync(services, { recursive: true })
  writeFileSync(join(services, 'io.trino.spi.Plugin'), `${PLUGIN}\n`)
  writeFileSync(join(folder, 'complete'), '')
  return found
}

/** With -C Maven refuses whatever does not have the checksum that is published with it. */
async function copyJars(folder: string, name: keyof typeof ARTIFACTS, target: string): Promise<void> {
  const project = join(folder, `${name}.xml`)
  const draft = `${target}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true })
  writeFileSync(project, pomOf(ARTIFACTS[name]))
  const settings = [`-DoutputDirectory=${draft}`, '-DincludeScope=runtime', `-Dmaven.repo.local=${join(folder, 'm2')}`]
  await run('mvn', ['-B', '-C', '-f', project, COPY, ...settings], { maxBuffer: 32 << 20 })
  rmSync(target, { recursive: true, force: true })
  renameSync(draft, target)
}

const pomOf = (artifact: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>prestage</groupId>
  <artifactId>${artifact}-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.trino</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`

/** First number of what a program says of its version; undefined when there is no such program. */
async function versionOf(program: string, args: readonly string[]): Promise<number | undefined> {
  try {
    const { stdout, stderr } = await run(program, [...args])
    return Number(/(\d+)\./.exec(stdout + stderr)?.[1] ?? 0)
  } catch {
    return undefined
  }
}
