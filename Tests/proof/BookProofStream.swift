import FixtureStreams
import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

// Time on a whole generated trading day: the stream every other program of this kind is compared on.
extension BookProof {
  /// Work done with each message of a stream.
  enum StreamWork: String, CaseIterable {
    /// Framing and decoding.
    case decode = "decode"
    /// Framing, decoding and the full-depth book.
    case book = "decode + L3"
    /// The book alone: events decoded beforehand.
    case apply = "L3"
  }

  /// What one kind of work took, sorted, and what it found.
  struct StreamTimes: CustomStringConvertible {
    let work: StreamWork
    /// Nanoseconds a message, one figure a repetition, ascending.
    var nanoseconds: [Double] = []
    /// The same for every repetition and every correct program.
    var checksum: UInt64 = 0

    var description: String {
      func text(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
      let minimum = nanoseconds.first ?? 0
      let median = nanoseconds.isEmpty ? 0 : nanoseconds[nanoseconds.count / 2]
      return "\(work.rawValue): \(text(minimum)) / \(text(median)) ns a message, checksum \(checksum)"
    }
  }

  /// Nanoseconds a message of each kind of `works`, the kinds in turn within each repetition, every repetition on empty books.
  static func timeStream(
    _ parameters: ItchFixture.Parameters = .streamA, works: [StreamWork] = StreamWork.allCases, repetitions: Int = 9
  ) throws -> [StreamTimes] {
    let bytes = ItchFixture(parameters).generate()
    let capacity = try BookCapacity(
      instruments: parameters.symbolCount, orders: max(131_072, parameters.liveOrderCount * 2))
    let events = decoded(works.contains(.apply) ? bytes : [], parameters)
    var times = works.map { StreamTimes(work: $0) }
    for _ in 0..<repetitions {
      for place in works.indices {
        var decoder = makeDecoder(parameters)
        var books = try makeBooks(capacity)
        let start = now()
        let checksum =
          switch works[place] {
          case .decode: decode(bytes.span, with: &decoder)
          case .book: decode(bytes.span, with: &decoder, into: &books)
          case .apply: apply(events, to: &books)
          }
        times[place].nanoseconds.append(Double(now() - start) / Double(parameters.messageCount))
        times[place].checksum = checksum
      }
    }
    for place in works.indices { times[place].nanoseconds.sort() }
    return times
  }

  private static func makeDecoder(_ parameters: ItchFixture.Parameters) -> ItchDecoder {
    let symbols = parameters.symbolCount
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: symbols) + 65_536)
    return ItchDecoder(
      midnight: ItchFixture.midnight, venue: VenueID(index: 0),
      map: InstrumentMap(discovering: symbols, in: arena), in: arena)
  }

  private static func decoded(_ bytes: [UInt8], _ parameters: ItchFixture.Parameters) -> Slab<MarketEvent> {
    let count = bytes.isEmpty ? 0 : parameters.messageCount
    let empty = MarketEvent(kind: .information, time: .distantPast, instrument: .none)
    var events = Slab(
      repeating: empty, count: count,
      in: Arena(capacityBytes: count * MemoryLayout<MarketEvent>.stride + 4_096))
    var decoder = makeDecoder(parameters)
    var frames = ItchFrames(bytes.span)
    var sequence: UInt64 = 0
    while Int(sequence) < count, let message = frames.next() {
      sequence += 1
      if case .event(let event) = decoder.decode(message, sequence: sequence) { events[Int(sequence) - 1] = event }
    }
    return events
  }

  @inline(never) private static func decode(_ bytes: Span<UInt8>, with decoder: inout ItchDecoder) -> UInt64 {
    var frames = ItchFrames(bytes)
    var sequence: UInt64 = 0
    var sum: UInt64 = 0
    while let message = frames.next() {
      // Wrapping: counts and a checksum.
      sequence &+= 1
      guard case .event(let event) = decoder.decode(message, sequence: sequence) else { continue }
      sum &+= event.reference.value ^ UInt64(bitPattern: event.price.nanos &+ event.quantity.lots)
      sum &+= event.newReference.value &+ UInt64(bitPattern: event.time.nanoseconds)
      sum &+= UInt64(event.kind.rawValue) &+ UInt64(event.side.rawValue) &+ UInt64(event.instrument.index)
    }
    return sum
  }

  @inline(never) private static func decode(
    _ bytes: Span<UInt8>, with decoder: inout ItchDecoder, into books: inout OrderBookSet
  ) -> UInt64 {
    var frames = ItchFrames(bytes)
    var sequence: UInt64 = 0
    var changes: UInt64 = 0
    while let message = frames.next() {
      // Wrapping: counts and a checksum.
      sequence &+= 1
      guard case .event(let event) = decoder.decode(message, sequence: sequence) else { continue }
      let effect = books.apply(event)
      changes &+= effect.depthChanged ? 3 : 1
      changes &+= effect.bestChanged ? 1 : 0
    }
    return changes
  }
}
