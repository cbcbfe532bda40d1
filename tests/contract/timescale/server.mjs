// One TimescaleDB in memory behind PostgreSQL's wire protocol, on a free port of loopback; one client at a time.
import { PGlite } from '@electric-sql/pglite'
import { timescaledb } from '@electric-sql/pglite/timescaledb'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const db = await PGlite.create({ extensions: { timescaledb } })
await db.exec('CREATE EXTENSION timescaledb')

// This build reads COPY from a file only: what a client sends is gathered and read from there.
const execute = db.execProtocolRaw.bind(db)
const COPY_IN = Buffer.from([0x47, 0, 0, 0, 7, 1, 0, 0]) // CopyInResponse: binary, columns not described
let copying = null

db.execProtocolRaw = async (data, options) => {
  const bytes = Buffer.from(data)
  if (copying === null) {
    const text = bytes[0] === 0x51 ? bytes.toString('utf8', 5, bytes.length - 1) : ''
    if (!/\bCOPY\b[^;]*\bFROM\s+STDIN\b/i.test(text)) return execute(data, options)
    copying = { text, given: Buffer.alloc(0), rows: [] }
    return COPY_IN
  }
  copying.given = Buffer.concat([copying.given, bytes])
  for (;;) {
    const { given, rows, text } = copying
    if (given.length < 5) return Buffer.alloc(0)
    const end = 1 + given.readInt32BE(1)
    if (given.length < end) return Buffer.alloc(0)
    copying.given = given.subarray(end)
    const kind = String.fromCharCode(given[0])
    if (kind === 'd') rows.push(given.subarray(5, end))
    if (kind !== 'c') continue
    copying = null
    const sql = Buffer.from(text.replace(/\bFROM\s+STDIN\b/i, "FROM '/dev/blob'") + '\0')
    const message = Buffer.concat([Buffer.from('Q'), Buffer.alloc(4), sql])
    message.writeInt32BE(message.length - 1, 1)
    await db._handleBlob(new Blob(rows))
    try {
      return await execute(message, options)
    } finally {
      await db._cleanupBlob()
    }
  }
}

const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0 })
server.addEventListener('listening', (event) => console.log(JSON.stringify(event.detail)))
// All clients share one session of the database: each must find it as a new one would be. The clean-up stands in
// the database's own queue before the client's first words.
const attach = server.attachSocketToNewHandler.bind(server)
server.attachSocketToNewHandler = (...given) => {
  const failed = (error) => console.error(String(error))
  copying = null
  db.exec('ROLLBACK').catch(failed)
  db.exec('DISCARD ALL').catch(failed)
  return attach(...given)
}
// The parent holds our standard input: when it is gone, so are we.
process.stdin.on('end', () => process.exit(0)).resume()
await server.start()
