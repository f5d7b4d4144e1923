import MarketIngest
import TradingTypes

/// A packet of `messages`, as a feed sends it.
func moldPacket(
  session: MoldSession, first: UInt64, _ messages: [[UInt8]], count: UInt16? = nil
) -> [UInt8] {
  let header = MoldHeader(session: session, firstSequence: first, count: count ?? UInt16(messages.count)).bytes
  var bytes = (0..<20).map { header[$0] }
  for message in messages { bytes += [UInt8(message.count >> 8), UInt8(message.count & 255)] + message }
  return bytes
}
