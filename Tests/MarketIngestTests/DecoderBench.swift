import LockFreeRings
import MarketIngest
import TradingTypes

/// A decoder with its own arena, for tests that decode body by body.
struct DecoderBench: ~Copyable {
  var decoder: ItchDecoder
  private var sequence: UInt64 = 0

  static let midnight = Timestamp(nanoseconds: 1_577_664_000_000_000_000)

  init(listed symbols: [String]) throws(ConfigurationError) {
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: symbols.count) + 65_536)
    let map = try InstrumentMap(listed: symbols.compactMap { Symbol($0) }, in: arena)
    decoder = ItchDecoder(midnight: Self.midnight, venue: VenueID(index: 3), map: map, in: arena)
  }

  init(discovering capacity: Int) {
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: capacity) + 65_536)
    let map = InstrumentMap(discovering: capacity, in: arena)
    decoder = ItchDecoder(midnight: Self.midnight, venue: VenueID(index: 3), map: map, in: arena)
  }

  mutating func decode(_ body: [UInt8]) -> ItchOutcome {
    sequence += 1
    return decoder.decode(ByteView(body.span), sequence: sequence)
  }
}

/// All fields of an event, to compare.
func fields(_ event: MarketEvent) -> [Int64] {
  [
    Int64(bitPattern: event.sequence), event.time.nanoseconds, Int64(bitPattern: event.reference.value),
    Int64(bitPattern: event.newReference.value), event.price.nanos, event.quantity.lots,
    Int64(event.instrument.index), Int64(event.venue.index), Int64(event.kind.rawValue), Int64(event.side.rawValue),
    Int64(event.flags.rawValue), Int64(event.code),
  ]
}

/// Fields of the event, or the refusal, as one list.
func fields(_ outcome: ItchOutcome) -> [Int64] {
  switch outcome {
  case .event(let event): fields(event)
  case .refused(let refusal): [-1, Int64(refusal.rawValue)]
  }
}

/// Bytes from pairs of hexadecimal digits and 'quoted' characters.
func bytes(_ parts: String...) -> [UInt8] {
  var bytes: [UInt8] = []
  for part in parts {
    if part.hasPrefix("'") {
      bytes += part.dropFirst().dropLast().utf8
    } else {
      let digits = Array(part.filter { $0 != " " })
      for place in stride(from: 0, to: digits.count, by: 2) {
        bytes.append(UInt8(String(digits[place...(place + 1)]), radix: 16) ?? 0)
      }
    }
  }
  return bytes
}
