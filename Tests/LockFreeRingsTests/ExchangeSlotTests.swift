import CAllocationCounter
import LockFreeRings
import Synchronization
import TestSupport
import Testing

@_spi(Testing) import LockFreeRings

/// A value that counts how many of its kind live.
struct Tracked: ~Copyable, Sendable {
  final class Census: Sendable {
    let living = Atomic<Int>(0)
    var count: Int { living.load(ordering: .acquiring) }
  }

  let sample: Sample
  let census: Census

  init(_ number: UInt64, _ census: Census) {
    sample = Sample(number)
    self.census = census
    census.living.add(1, ordering: .acquiringAndReleasing)
  }

  deinit { census.living.subtract(1, ordering: .acquiringAndReleasing) }
}

// Goal: a value changes hands whole, exactly one of the two sides has it, and what it replaced comes back. Method: every step of the handshake
// in turn; two threads with 2,000 (release: 100,000) exchanges; each outcome is listed as allowed or forbidden.
@Suite(.serialized) struct ExchangeSlotTests {
  @Test func `each side acts in its turn only`() throws {
    let census = Tracked.Census()
    var slot = try ExchangeSlot<Tracked>(in: Arena(capacityBytes: 1 << 16))
    var publisher = slot.takePublisher()
    var consumer = slot.takeConsumer()
    for number in 1...20 as ClosedRange<UInt64> {
      let nothing = consumer.take()
      let isNothing = nothing == nil
      let (isFree, early) = (publisher.isFree, publisher.collect() == nil)
      #expect(isNothing && isFree && early)
      let isPublished = publisher.publish(Tracked(number, census))
      let isRefused = !publisher.publish(Tracked(number + 100, census))
      let (isWaiting, wasFree) = (consumer.isWaiting, publisher.isFree)
      #expect(isPublished && isRefused && isWaiting && !wasFree && census.count == 1)
      guard let taken = consumer.take() else { return #expect(Bool(false), "the value was there") }
      let held = taken.sample
      #expect(held == Sample(number))
      // Taken and not given back: neither side can do more.
      let (again, isEarly) = (publisher.publish(Tracked(0, census)), publisher.collect() == nil)
      let second = consumer.take() == nil
      #expect(!again && isEarly && second && census.count == 1)
      consumer.giveBack(taken)
      let uncollected = publisher.publish(Tracked(0, census))
      let stillNothing = consumer.take() == nil
      #expect(!uncollected && stillNothing && census.count == 1)
      guard let back = publisher.collect() else { return #expect(Bool(false), "the value came back") }
      let returned = back.sample
      #expect(returned == Sample(number))
      _ = consume back
      #expect(census.count == 0)
    }
  }

  @Test func `an exchange leaves the new value and gives the former one back`() throws {
    let census = Tracked.Census()
    var slot = try ExchangeSlot<Tracked>(in: Arena(capacityBytes: 1 << 16))
    var publisher = slot.takePublisher()
    var consumer = slot.takeConsumer()
    var held = Tracked(0, census)
    for number in 1...20 as ClosedRange<UInt64> {
      let early = consumer.exchange(&held)
      _ = publisher.publish(Tracked(number, census))
      let isChanged = consumer.exchange(&held)
      let now = held.sample
      #expect(!early && isChanged && now == Sample(number) && census.count == 2)
      guard let back = publisher.collect() else { return #expect(Bool(false), "the former value came back") }
      let former = back.sample
      _ = consume back
      #expect(former == Sample(number - 1) && census.count == 1)
    }
  }

  @Test func `what is in the slot at the end is ended once`() throws {
    let census = Tracked.Census()
    for state in 0..<4 {
      var slot = try ExchangeSlot<Tracked>(in: Arena(capacityBytes: 1 << 16))
      var publisher = slot.takePublisher()
      var consumer = slot.takeConsumer()
      if state > 0 { _ = publisher.publish(Tracked(1, census)) }
      if state > 1, let taken = consumer.take() {
        if state > 2 { consumer.giveBack(taken) }
      }
    }
    #expect(census.count == 0)
  }

  @Test func `giving back what was not taken is a misuse`() async {
    await #expect(processExitsWith: .failure) {
      var slot = try ExchangeSlot<Int>(in: Arena(capacityBytes: 1 << 16))
      var consumer = slot.takeConsumer()
      consumer.giveBack(1)
    }
  }

  @Test func `as many values come back as go over, in their order`() throws {
    let census = Tracked.Census()
    var slot = try ExchangeSlot<Tracked>(in: Arena(capacityBytes: 1 << 16))
    var publisher = slot.takePublisher()
    let end = Handoff(slot.takeConsumer())
    // Each one waits for the other thread, twice: on a busy machine that is two turns of the scheduler.
    let count = stressCount / 100
    let patience = RingStressTests.patience
    let outcome = RingStressTests.Flag()
    let mallocs = RingStressTests.Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "exchange")) {
      var consumer = end.take()
      var found = Outcome.exact
      var held = Tracked(0, census)
      var looks = 0
      martlet_count_begin()
      while held.sample.number < count {
        let before = held.sample.number
        looks += 1
        if consumer.exchange(&held) {
          if held.sample.number != before + 1 { found = .outOfOrder }
        } else if looks & 63 == 0 {
          if patience.hasPassed {
            found = .timedOut
            break
          }
          yieldThread()
        }
        if !held.sample.isWhole { found = .torn }
      }
      mallocs.word.store(martlet_count_end().allocations, ordering: .releasing)
      outcome.word.store(found.rawValue, ordering: .releasing)
    }
    var isInOrder = true
    var returned: UInt64 = 0
    var looks = 0
    for number in 1...count where !patience.hasPassed {
      _ = publisher.publish(Tracked(number, census))
      while !patience.hasPassed {
        if let back = publisher.collect() {
          isInOrder = isInOrder && back.sample == Sample(returned)
          returned += 1
          break
        }
        looks += 1
        if looks & 63 == 0 { yieldThread() }
      }
    }
    thread.join()
    #expect(Outcome(rawValue: outcome.word.load(ordering: .acquiring)) == .exact)
    #expect(isInOrder && returned == count)
    #expect(census.count == 0)
    if countsAllocations { #expect(mallocs.word.load(ordering: .acquiring) == 0) }
  }

  // MARK: - Litmus

  static let passing = Litmus(
    name: "exchange: one side publishes five words, the other one looks once",
    rows: [
      .init(name: "nothing there yet", first: 1, second: 0, isAllowed: true),
      .init(name: "the value, whole", first: 1, second: 1, isAllowed: true),
      .init(name: "the value, torn or of another round", first: 1, second: 2, isAllowed: false),
      .init(name: "an empty slot refused it", first: 0, second: 0, isAllowed: false),
    ])

  static func ends() throws -> [LitmusTests.Ends<ExchangeSlot<Sample>.Publisher, ExchangeSlot<Sample>.Consumer>] {
    let arena = Arena(capacityBytes: 4 << 20)
    return try (0..<LitmusTests.instances).map { _ in
      var slot = try ExchangeSlot<Sample>(in: arena)
      return LitmusTests.Ends(slot.takePublisher(), slot.takeConsumer())
    }
  }

  @Test func `a value is handed over whole`() throws {
    let ends = try Self.ends()
    LitmusTests.expectAllowed(
      Self.passing, first: { ends[$0].producer.publish(Sample(ends[$0].number)) ? 1 : 0 },
      second: { LitmusTests.observation(ends[$0].consumer.take(), expected: ends[$0].number) },
      reset: { Self.finish(ends[$0]) })
  }

  @Test func `what comes back is whole, and then there is room`() throws {
    let ends = try Self.ends()
    LitmusTests.expectAllowed(
      Litmus(
        name: "return: one side gives five words back, the other one collects once and publishes",
        rows: [
          .init(name: "not yet, and no room", first: 0, second: 1, isAllowed: true),
          .init(name: "whole, and room", first: 3, second: 1, isAllowed: true),
          .init(name: "torn or of another round", first: 2, second: 1, isAllowed: false),
          .init(name: "room without what came back", first: 1, second: 1, isAllowed: false),
        ]),
      first: { place in
        let back = ends[place].producer.collect()
        let hasRoom = ends[place].producer.publish(Sample(0)) ? 1 : 0 as UInt8
        guard let back else { return hasRoom }
        return back == Sample(ends[place].number + 1) ? 2 + hasRoom : 2
      },
      second: { place in
        ends[place].consumer.giveBack(Sample(ends[place].number + 1))
        return 1
      },
      reset: { place in
        Self.finish(ends[place])
        _ = ends[place].producer.publish(Sample(ends[place].number))
        _ = ends[place].consumer.take()
      })
  }

  @Test(.enabled(if: countsAllocations, "threads that share a processor with other tests do not overlap enough"))
  func `the planted publication before writing tears values, and that is seen`() throws {
    let ends = try Self.ends()
    var forbidden = 0
    for seed in 1...20 where forbidden == 0 {
      let counts = Self.passing.run(
        instances: LitmusTests.instances, count: 1_000_000, seed: UInt64(seed),
        first: { ends[$0].producer.publishTooEarly(Sample(ends[$0].number)) ? 1 : 0 },
        second: { LitmusTests.observation(ends[$0].consumer.take(), expected: ends[$0].number) },
        reset: { Self.finish(ends[$0]) })
      forbidden = Self.passing.forbidden(counts)
    }
    #expect(forbidden > 0)
  }

  /// Ends a round in whatever state it is, and numbers the next one.
  static func finish(_ ends: LitmusTests.Ends<ExchangeSlot<Sample>.Publisher, ExchangeSlot<Sample>.Consumer>) {
    _ = ends.consumer.take()
    if !ends.producer.isFree, ends.producer.collect() == nil {
      ends.consumer.giveBack(Sample(0))
      _ = ends.producer.collect()
    }
    ends.number += 2
  }
}
