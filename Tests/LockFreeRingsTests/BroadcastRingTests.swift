import Synchronization
import TestSupport
import Testing
import TradingTypes

@_spi(Testing) import LockFreeRings

// Goal: every consumer reads every element once, in order, whole, and after those it follows; the producer waits for exactly the slowest.
// Method: seeded runs against an array log on one thread; chain, diamond and multicast on threads; consumers that join and leave while the producer
// runs. Allowed outcome: exact. Forbidden: out of order, torn, ahead of an upstream consumer, timed out.
@Suite(.serialized) struct BroadcastRingTests {
  typealias Ring = BroadcastRing<Sample>

  static func makeRing(
    _ capacity: Int, history: Int = 0, parks: Bool = false, startingAt start: UInt64 = 0
  ) throws(RingError) -> Ring {
    try Ring(
      capacity: capacity, repeating: Sample(0), history: history, consumersMax: 6, allowsParking: parks,
      startingAt: start,
      in: Arena(capacityBytes: 4 << 20))
  }

  @Test(arguments: Seeds.brief, [0, UInt64.max - 100])
  func `the ring equals a log with reader positions`(seed: UInt64, start: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for (capacity, history) in [(2, 0), (8, 3), (64, 16)] {
      let ring = try Self.makeRing(capacity, history: history, startingAt: start)
      var producer = ring.takeProducer()
      var first = try ring.join("first")
      var second = try ring.join("second", after: [first.seat])
      // The twin: how many were published and read, counted from the start.
      var (published, read, readSecond) = (0, 0, 0)
      for _ in 0..<4_000 {
        switch random.below(4) {
        case 0:
          let wasPushed = producer.tryPush(Sample(UInt64(published)))
          #expect(wasPushed == (published - min(readSecond, max(0, published - history)) < capacity), "seed \(seed)")
          if wasPushed { published += 1 }
        case 1:
          var slots = producer.claim(upTo: random.below(6))
          let count = slots.count
          for index in 0..<count { slots[index] = Sample(UInt64(published + index)) }
          producer.publish(count)
          published += count
          #expect(published - readSecond <= capacity, "seed \(seed)")
        case 2:
          let sample = first.tryPop()
          #expect(sample?.number == (read < published ? UInt64(read) : nil), "seed \(seed)")
          if sample != nil { read += 1 }
        default:
          var count = 0
          do {
            let view = second.available(upTo: random.below(5))
            count = view.count
            for index in 0..<count { #expect(view[index].number == UInt64(readSecond + index), "seed \(seed)") }
          }
          second.release(count)
          readSecond += count
          #expect(readSecond <= read, "seed \(seed): ahead of its upstream")
        }
      }
      let lags = ring.lags()
      #expect(lags.map(\.name).sorted() == ["first", "second"])
      #expect(lags[0].count == UInt64(published - readSecond))
    }
  }

  /// Reads until `end` and says what it saw. `upstream` is how far each consumer it follows has come, told by them after each release.
  static func read(
    _ consumer: inout BroadcastConsumer<Sample>, to end: UInt64, _ strategy: some WaitStrategy, progress: Progress,
    place: Int, after upstream: [Int]
  ) -> Outcome {
    let patience = RingStressTests.patience
    var outcome = Outcome.exact
    var next: UInt64 = 0
    while next < end {
      guard consumer.waitForElement(waiting: strategy, until: patience) else { return .timedOut }
      var count = 0
      do {
        let view = consumer.available(upTo: 300)
        count = view.count
        for index in 0..<count {
          if view[index].number != next + UInt64(index) { outcome = .outOfOrder }
          if !view[index].isWhole { outcome = .torn }
        }
      }
      next += UInt64(count)
      // They told before they released, so what they told covers what was seen here.
      for seat in upstream where progress.words[seat].load(ordering: .relaxed) < next { outcome = .outOfOrder }
      progress.words[place].store(next, ordering: .relaxed)
      consumer.release(count)
    }
    return outcome
  }

  final class Progress: Sendable {
    let words: [Atomic64]
    init(_ count: Int) { words = (0..<count).map { _ in Atomic64() } }
  }
  final class Atomic64: Sendable {
    private let word = Atomic<UInt64>(0)
    func load(ordering: AtomicLoadOrdering) -> UInt64 { word.load(ordering: .relaxed) }
    func store(_ value: UInt64, ordering: AtomicStoreOrdering) { word.store(value, ordering: .relaxed) }
  }

  enum Shape: String, CaseIterable {
    case chain, diamond, multicast
    /// Whom each of three consumers follows.
    var upstream: [[Int]] {
      switch self {
      case .chain: [[], [0], [1]]
      case .diamond: [[], [], [0, 1]]
      case .multicast: [[], [], []]
      }
    }
  }

  @Test(arguments: Shape.allCases, [false, true])
  func `three consumers are exact and none overtakes`(shape: Shape, parks: Bool) throws {
    let ring = try Self.makeRing(256, parks: parks, startingAt: .max - 10_000)
    let count = stressCount / (parks ? 10 : 4)
    let progress = Progress(3)
    let outcomes = Progress(3)
    var seats: [Ring.Seat] = []
    var threads: [PinnedThread] = []
    for place in 0..<3 {
      let upstream = shape.upstream[place]
      let consumer = try ring.join("\(place)", after: upstream.map { seats[$0] })
      seats.append(consumer.seat)
      let end = Handoff(consumer)
      threads.append(
        PinnedThread(ThreadConfiguration(name: "read \(place)")) {
          var consumer = end.take()
          let outcome =
            parks
            ? Self.read(
              &consumer, to: count, ParkWait(spinsMax: 4), progress: progress, place: place, after: upstream)
            : Self.read(
              &consumer, to: count, SpinThenYieldWait(spinsMax: 16), progress: progress, place: place, after: upstream)
          outcomes.words[place].store(outcome.rawValue, ordering: .relaxed)
        })
    }
    var producer = ring.takeProducer()
    let patience = RingStressTests.patience
    var next: UInt64 = 0
    while next < count {
      let hasRoom =
        parks
        ? producer.waitForRoom(waiting: ParkWait(spinsMax: 4), until: patience)
        : producer.waitForRoom(waiting: SpinThenYieldWait(spinsMax: 16), until: patience)
      guard hasRoom else { break }
      var slots = producer.claim(upTo: Int(min(32, count - next)))
      let claimed = slots.count
      for index in 0..<claimed { slots[index] = Sample(next + UInt64(index)) }
      producer.publish(claimed)
      next += UInt64(claimed)
    }
    for thread in threads { thread.join() }
    for place in 0..<3 { #expect(outcomes.words[place].load(ordering: .relaxed) == Outcome.exact.rawValue) }
    #expect(ring.lags().isEmpty, "a consumer that is dropped leaves")
  }

  @Test(arguments: Seeds.brief)
  func `those who join and leave while it runs see whole elements in order`(seed: UInt64) throws {
    let ring = try Self.makeRing(64, history: 24)
    let isOver = Progress(1)
    let found = Progress(2)
    var threads: [PinnedThread] = []
    for place in 0..<2 {
      threads.append(
        PinnedThread(ThreadConfiguration(name: "visit")) {
          var random = SplitMix64(seed: seed + UInt64(place))
          var outcome = Outcome.exact
          while isOver.words[0].load(ordering: .relaxed) == 0, outcome == .exact {
            let start: BroadcastStart =
              switch random.below(3) {
              case 0: .next
              case 1: .oldest
              default: .position(ring.published &- UInt64(random.below(40)))
              }
            // Refused: what it asked for is gone already, or the last seats are taken. Both are answers.
            guard var consumer = try? ring.join("visitor", from: start) else { continue }
            // The element at a position is that position.
            var next = consumer.nextPosition
            if case .position(let asked) = start, asked != next { outcome = .outOfOrder }
            for _ in 0..<random.below(200) {
              guard let sample = consumer.tryPop() else {
                yieldThread()
                continue
              }
              if sample.number != next { outcome = .outOfOrder }
              if !sample.isWhole { outcome = .torn }
              next += 1
            }
            consumer.leave()
          }
          found.words[place].store(outcome.rawValue, ordering: .relaxed)
        })
    }
    var producer = ring.takeProducer()
    let patience = RingStressTests.patience
    var next: UInt64 = 0
    while next < stressCount / 8 {
      guard
        producer.push(Sample(next), waiting: SpinThenYieldWait(spinsMax: 16), until: patience)
      else { break }
      next += 1
    }
    isOver.words[0].store(1, ordering: .relaxed)
    for thread in threads { thread.join() }
    #expect(next == stressCount / 8, "the producer was held back by one who left")
    for place in 0..<2 {
      #expect(found.words[place].load(ordering: .relaxed) == Outcome.exact.rawValue, "seed \(seed)")
    }
  }

  @Test func `a hung consumer holds the producer for as long as it says, and the report names it`() throws {
    let ring = try Self.makeRing(8)
    var producer = ring.takeProducer()
    var quick = try ring.join("prices")
    let hung = try ring.join("audit")
    for number in 0..<8 as Range<UInt64> {
      _ = producer.tryPush(Sample(number))
      _ = quick.tryPop()
    }
    let wasPushed = producer.push(
      Sample(8), waiting: SpinThenYieldWait(spinsMax: 4), until: .after(milliseconds: 20))
    #expect(!wasPushed)
    let slowest = try #require(ring.lags().first)
    #expect(slowest.name == "audit" && slowest.count == 8 && slowest.position == hung.nextPosition)
    // Its thread is known to be dead here: its seat is taken away and the producer goes on.
    ring.evictDead(hung.seat)
    let goesOn = producer.tryPush(Sample(8))
    #expect(goesOn)
    #expect(ring.lags().map(\.name) == ["prices"])
  }

  @Test func `a follower goes on behind its upstream's upstream when that leaves`() throws {
    let ring = try Self.makeRing(8)
    var producer = ring.takeProducer()
    var first = try ring.join("first")
    let middle = try ring.join("middle", after: [first.seat])
    var last = try ring.join("last", after: [middle.seat])
    _ = producer.tryPush(Sample(0))
    _ = producer.tryPush(Sample(1))
    _ = first.tryPop()
    let before = last.tryPop()
    middle.leave()
    // It sees what `first` has released and no more.
    let (after, beyond) = (last.tryPop(), last.tryPop())
    #expect(before == nil && after?.number == 0 && beyond == nil)
    // The seat of one that is still followed is not given away: a newcomer would hold its followers back.
    var newcomers: [Ring.Seat] = []
    for number in 0..<3 {
      let newcomer = try ring.join("new \(number)")
      newcomers.append(newcomer.seat)
      _ = first.tryPop()
      let seen = last.tryPop()
      #expect((seen?.number == 1) == (number == 0))
    }
    #expect(throws: BroadcastError.unknownUpstream) { _ = try ring.join("late", after: [newcomers[0]]).nextPosition }
  }

  @Test func `replay begins where it was asked to, or says what is left`() throws {
    let ring = try Self.makeRing(16, history: 8)
    var producer = ring.takeProducer()
    for number in 0..<100 as Range<UInt64> { _ = producer.tryPush(Sample(number)) }
    #expect(ring.published == 100)
    let oldest = ring.oldest
    #expect(oldest <= 92 && oldest >= 84, "8 to 16 elements are kept")
    var replay = try ring.join("replay", from: .position(oldest))
    for number in oldest..<100 {
      let sample = replay.tryPop()
      #expect(sample?.number == number)
    }
    #expect(throws: BroadcastError.overwritten(asked: oldest - 1, oldest: oldest)) {
      _ = try ring.join("early", from: .position(oldest - 1)).nextPosition
    }
    #expect(throws: BroadcastError.notPublished(asked: 101, published: 100)) {
      _ = try ring.join("early", from: .position(101)).nextPosition
    }
    #expect(ring.lags().count == 1, "a refused join takes no seat")
  }

  @Test func `wrong shapes are refused with a line`() {
    func error(_ capacity: Int, _ history: Int) -> RingError? {
      do throws(RingError) {
        _ = try Self.makeRing(capacity, history: history)
        return nil
      } catch { return error }
    }
    #expect(error(0, 0) == .capacityIsNotPowerOfTwo(0))
    #expect(error(1 << 31, 0) == .capacityIsTooLarge(1 << 31))
    #expect(error(8, 8) == .historyExceedsCapacity(history: 8, capacity: 8))
    #expect(error(8, -1) == .historyExceedsCapacity(history: -1, capacity: 8))
    #expect(error(8, 7) == nil)
  }

  @Test func `a full house says so`() throws {
    let ring = try Self.makeRing(8)
    var seats: [BroadcastRing<Sample>.Seat] = []
    let consumers = try (0..<6).map { Handoff(try ring.join("\($0)")) }
    #expect(throws: BroadcastError.noSeat(consumersMax: 6)) { seats.append(try ring.join("one more").seat) }
    #expect(consumers.count == 6 && seats.isEmpty)
  }
}
