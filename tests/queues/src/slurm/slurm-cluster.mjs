import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { until } from '../checks.mjs'
import { freePorts } from '../free-ports.mjs'
import { processesWith } from '../workplace.mjs'

/** Where Debian has them, which is not on the path of everybody. */
const path = `/usr/sbin:${process.env.PATH}`
const nodes = ['n1', 'n2', 'n3']

/**
 * Starts a cluster of three nodes on this machine, with Debian's Slurm and MUNGE, as whoever runs this and without systemd or cgroups.
 * @param {string} folder where all that it writes goes
 */
export async function startCluster(folder) {
  for (const name of ['', 'state', 'spool', ...nodes.map((node) => `spool/${node}`)]) mkdirSync(join(folder, name))
  const config = join(folder, 'slurm.conf')
  const [controller, ...ports] = await freePorts(1 + nodes.length)
  writeFileSync(join(folder, 'munge.key'), randomBytes(1024), { mode: 0o400 })
  writeFileSync(config, configText({ folder, controller, ports }))
  const env = { SLURM_CONF: config, PATH: path }
  const log = (name) => join(folder, `${name}.log`)
  const start = (name, command, args) =>
    spawn('sh', ['-c', 'exec "$@" >> "$0" 2>&1', log(name), command, ...args], {
      stdio: 'ignore',
      env: { ...process.env, ...env },
      cwd: folder,
    })
  const daemons = []
  const call = (command, ...args) => {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env } })
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const close = async () => {
    for (const daemon of daemons) daemon.kill('SIGTERM')
    // What a daemon has left behind, jobs and their steps included: all have the configuration's path in their environment.
    await until(() => processesWith(config).length === 0, { what: '', timeoutMs: 5000 }).catch(() => {})
    for (const id of processesWith(config)) process.kill(id, 'SIGKILL')
  }
  const munge = [
    '--foreground',
    '--force',
    `--key-file=${join(folder, 'munge.key')}`,
    `--socket=${join(folder, 'munge')}`,
  ]
  const files = [
    `--pid-file=${join(folder, 'munged.pid')}`,
    `--seed-file=${join(folder, 'munge.seed')}`,
    `--log-file=${log('munge')}`,
  ]
  try {
    daemons.push(start('munged', 'munged', [...munge, ...files]))
    daemons.push(start('slurmctld', 'slurmctld', ['-D', '-c']))
    for (const node of nodes) daemons.push(start(node, 'slurmd', ['-D', '-N', node]))
    await until(() => states(call).every((state) => state === 'idle'), {
      what: 'the nodes are not idle',
      timeoutMs: 20_000,
    })
  } catch (error) {
    await close()
    const last = ['munged', 'slurmctld', 'n1'].map((name) => `${name}: ${readFileSync(log(name), 'utf8').slice(-1000)}`)
    throw new Error(`${error.message}\n${last.join('\n')}`, { cause: error })
  }
  return {
    env,
    nodes,
    call,
    /** Lists the tasks of all jobs: number, state, reason, node. */
    tasks: () =>
      call('squeue', '--noheader', '--array', '--states=all', '--format=%i|%j|%T|%r|%N')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('|'))
        .map(([id, name, state, reason, node]) => ({ id, name, state, reason, node })),
    close,
  }
}

/** Before the controller answers there are none. */
function states(call) {
  try {
    const text = call('sinfo', '--noheader', '--Node', '--format=%t').trim()
    return text === '' ? ['none'] : text.split('\n')
  } catch {
    return ['none']
  }
}

const configText = ({ folder, controller, ports }) => {
  const { username } = userInfo()
  const host = hostname()
  return `ClusterName=mk
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=${username}
SlurmdUser=${username}
AuthType=auth/munge
AuthInfo=socket=${join(folder, 'munge')}
CredType=cred/munge
StateSaveLocation=${join(folder, 'state')}
SlurmdSpoolDir=${join(folder, 'spool/%n')}
SlurmctldPidFile=${join(folder, 'slurmctld.pid')}
SlurmdPidFile=${join(folder, '%n.pid')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
KillWait=2
SlurmdTimeout=60
${nodes.map((node, index) => `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[index]} CPUs=2`).join('\n')}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`
}
