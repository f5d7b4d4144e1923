import FixtureStreams
import MarketIngest
import TradingTypes

/// A seeded feed that loses, repeats, swaps and damages messages of a generated day.
///
/// The same seed gives the same messages. What a real line may do to a message is done to its bytes, before the decoder.
struct UnreliableFeed {
  /// How often something happens to a message, in thousandths.
  struct Faults: Sendable {
    var dropped = 0
    var repeated = 0
    var swapped = 0
    var damaged = 0

    static let none = Faults()
    static let all = Faults(dropped: 20, repeated: 20, swapped: 20, damaged: 20)
  }

  /// The messages as they arrive, each with its number.
  let messages: [(sequence: UInt64, body: [UInt8])]

  init(day bytes: [UInt8], _ faults: Faults, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var arrived: [(UInt64, [UInt8])] = []
    var held: (UInt64, [UInt8])?
    var place = 0
    var sequence: UInt64 = 0
    while place + 2 <= bytes.count {
      let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
      var body = Array(bytes[(place + 2)..<(place + 2 + length)])
      place += 2 + length
      sequence += 1
      func happens(_ thousandths: Int) -> Bool { random.below(1_000) < thousandths }
      if happens(faults.dropped) { continue }
      if happens(faults.damaged) {
        switch random.below(4) {
        case 0: body.removeLast(random.below(body.count))
        case 1: body.append(UInt8(truncatingIfNeeded: random.next()))
        default:
          for _ in 0...random.below(3) { body[random.below(body.count)] = UInt8(truncatingIfNeeded: random.next()) }
        }
      }
      let message = (sequence, body)
      if happens(faults.swapped), held == nil {
        held = message
        continue
      }
      arrived.append(message)
      if happens(faults.repeated) { arrived.append(message) }
      if let late = held, happens(300) {
        arrived.append(late)
        held = nil
      }
    }
    if let held { arrived.append(held) }
    messages = arrived
  }
}
