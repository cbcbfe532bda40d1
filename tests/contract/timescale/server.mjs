// One TimescaleDB in memory behind PostgreSQL's wire protocol, on a free port of loopback; one client at a time.
import { PGlite } from '@electric-sql/pglite'
import { timescaledb } from '@electric-sql/pglite/timescaledb'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const db = await PGlite.create({ extensions: { timescaledb } })
await db.exec('CREATE EXTENSION timescaledb')

// The build wants whole messages, one call after the other, and reads COPY from a file only: what a client sends is
// gathered into whole messages, the rows of a COPY into the file it is read from.
const execute = db.execProtocolRaw.bind(db)
const COPY_IN = Buffer.from([0x47, 0, 0, 0, 7, 1, 0, 0]) // CopyInResponse: binary, columns not described
const NOTHING = Buffer.alloc(0)
let waiting, started, copying, last

const forget = () => {
  waiting = NOTHING
  started = false
  copying = null
  last = Promise.resolve()
}

// The next whole message; the first of a connection has no type byte.
const take = () => {
  const at = started ? 1 : 0
  if (waiting.length < at + 4) return null
  const end = at + waiting.readInt32BE(at)
  if (waiting.length < end) return null
  const message = waiting.subarray(0, end)
  waiting = waiting.subarray(end)
  started = true
  return message
}

const asked = (sql) => {
  const message = Buffer.concat([Buffer.from('Q'), Buffer.alloc(4), Buffer.from(sql + '\0')])
  message.writeInt32BE(message.length - 1, 1)
  return message
}

const copy = async (text, rows, options) => {
  await db._handleBlob(new Blob(rows))
  try {
    return await execute(asked(text.replace(/\bFROM\s+STDIN\b/i, "FROM '/dev/blob'")), options)
  } finally {
    await db._cleanupBlob()
  }
}

const answer = async (data, options) => {
  if (!started) {
    // All clients share one session of the database: each must find it as a new one would be.
    await execute(asked('ROLLBACK'), options)
    await execute(asked('DISCARD ALL'), options)
  }
  waiting = Buffer.concat([waiting, Buffer.from(data)])
  const answers = []
  let whole = []
  const flush = async () => {
    if (whole.length) answers.push(await execute(Buffer.concat(whole), options))
    whole = []
  }
  for (let message = take(); message !== null; message = take()) {
    const kind = String.fromCharCode(message[0])
    if (copying !== null) {
      if (kind === 'd') copying.rows.push(message.subarray(5))
      if (kind !== 'c') continue
      const { text, rows } = copying
      copying = null
      answers.push(await copy(text, rows, options))
      continue
    }
    const text = kind === 'Q' ? message.toString('utf8', 5, message.length - 1) : ''
    if (/\bCOPY\b[^;]*\bFROM\s+STDIN\b/i.test(text)) {
      await flush()
      copying = { text, rows: [] }
      answers.push(COPY_IN)
    } else {
      whole.push(message)
    }
  }
  await flush()
  return Buffer.concat(answers)
}

forget()
// What the socket server needs of a database; the database's own calls go their own way.
const behind = {
  waitReady: db.waitReady,
  runExclusive: (work) => db.runExclusive(work),
  execProtocolRaw: (data, options) => {
    const next = last.then(() => answer(data, options))
    last = next.catch(() => {})
    return next
  }
}

const server = new PGLiteSocketServer({ db: behind, host: '127.0.0.1', port: 0 })
server.addEventListener('listening', (event) => console.log(JSON.stringify(event.detail)))
const attach = server.attachSocketToNewHandler.bind(server)
server.attachSocketToNewHandler = (...given) => {
  forget()
  return attach(...given)
}
// The parent holds our standard input: when it is gone, so are we.
process.stdin.on('end', () => process.exit(0)).resume()
await server.start()
