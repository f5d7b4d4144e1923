import LockFreeRings
import Synchronization
import Testing
import TradingEngine
import TradingTypes

// Goal: every group sees every event once and in order, a group that comes back misses nothing or is told so, and what cannot be handled is kept
// with its reason. Method: examples on one thread, one run with threads. Allowed: each position once, ascending. Forbidden: anything else.
@Suite struct EventBusTests {
  enum Event: BitwiseCopyable, Hashable, Sendable {
    case bar(InstrumentID, close: Price)
    case mode(PolicyMode)
  }

  static func makeBus(
    _ capacity: Int = 16, history: Int? = nil, parks: Bool = false
  ) throws -> EventBus<Event> {
    try EventBus(
      capacity: capacity, filler: .mode(.normal), history: history, groupsMax: 4, deadLettersMax: 2,
      allowsParking: parks,
      in: Arena(capacityBytes: 4 << 20))
  }

  static func bar(_ number: Int) -> Event { .bar(InstrumentID(index: 0), close: Price(nanos: Int64(number))) }
  static func time(_ number: Int) -> Timestamp { Timestamp(nanoseconds: Int64(number)) }

  @Test func `each group sees every event at its own pace, and a follower after its upstream`() throws {
    let bus = try Self.makeBus()
    var publisher = bus.takePublisher()
    var prices = try bus.subscribe("prices")
    var risk = try bus.subscribe("risk", after: [prices.seat])
    for number in 0..<6 {
      let isPublished = publisher.tryPublish(Self.bar(number), at: Self.time(number), causeSequence: UInt64(number))
      #expect(isPublished)
    }
    var seen: [Event] = []
    var early = 0
    early += risk.handle { _, _ in .done }
    let first = prices.handle(upTo: 4) { record, position in
      #expect(record.causeSequence == position && record.time == Self.time(Int(position)))
      seen.append(record.event)
      return .done
    }
    let second = risk.handle { _, _ in .done }
    #expect(early == 0 && first == 4 && second == 4)
    #expect(seen == (0..<4).map(Self.bar))
    let lags = bus.lags()
    #expect(lags.map(\.count) == [2, 2] && Set(lags.map(\.name)) == ["prices", "risk"])
  }

  @Test func `a group that comes back goes on where it left, or is told what is left`() throws {
    let bus = try Self.makeBus(16, history: 8)
    var publisher = bus.takePublisher()
    do {
      var audit = try bus.subscribe("audit")
      for number in 0..<4 { _ = publisher.tryPublish(Self.bar(number), at: Self.time(number)) }
      _ = audit.handle(upTo: 3) { _, _ in .done }
    }
    do {
      var audit = try bus.subscribe("audit")
      var positions: [UInt64] = []
      _ = audit.handle { _, position in
        positions.append(position)
        return .done
      }
      #expect(positions == [3])
    }
    for number in 4..<100 { _ = publisher.tryPublish(Self.bar(number), at: Self.time(number)) }
    #expect(throws: BroadcastError.overwritten(asked: 4, oldest: bus.oldest)) {
      _ = try bus.subscribe("audit").nextPosition
    }
    var replay = try bus.subscribe("audit", from: .oldest)
    var events: [Event] = []
    // Twice: one call ends where the ring's memory does.
    for _ in 0..<2 {
      _ = replay.handle { record, _ in
        events.append(record.event)
        return .done
      }
    }
    #expect(events.count >= 8 && events == (100 - events.count..<100).map(Self.bar))
  }

  @Test func `what fails is tried again, then kept with its reason, and the group goes on`() throws {
    let bus = try Self.makeBus()
    var publisher = bus.takePublisher()
    var orders = try bus.subscribe("orders")
    for number in 0..<6 { _ = publisher.tryPublish(Self.bar(number), at: Self.time(number), causeSequence: 70) }
    var offers: [UInt64: Int] = [:]
    var calls = 0
    while bus.lags()[0].count > 0, calls < 20 {
      calls += 1
      _ = orders.handle { _, position in
        offers[position, default: 0] += 1
        switch position {
        case 1: return offers[1]! < 2 ? .retry(reason: "busy") : .done
        case 2: return .retry(reason: "no session")
        case 3, 4: return .reject(reason: "unknown instrument")
        default: return .done
        }
      }
    }
    #expect(offers == [0: 1, 1: 2, 2: 3, 3: 1, 4: 1, 5: 1])
    let letters = bus.deadLetters
    #expect(letters.kept.map(\.position) == [2, 3] && letters.lostCount == 1, "two are kept, the third is counted")
    #expect(letters.kept[0].reason == "no session" && letters.kept[0].tries == 3 && letters.kept[0].group == "orders")
    #expect(letters.kept[0].record.event == Self.bar(2) && letters.kept[0].record.causeSequence == 70)
    #expect(bus.takeDeadLetters().count == 2 && bus.deadLetters.kept.isEmpty)
  }

  @Test func `a group that hangs is named, and the publisher's wait ends`() throws {
    let bus = try Self.makeBus(8, history: 0)
    var publisher = bus.takePublisher()
    var quick = try bus.subscribe("quick")
    let hung = try bus.subscribe("hung")
    #expect(bus.health(at: 0).allSatisfy { $0.verdict == .idle })
    for number in 0..<8 { _ = publisher.tryPublish(Self.bar(number), at: Self.time(number)) }
    _ = quick.handle { _, _ in .done }
    let isPublished = publisher.publish(
      Self.bar(8), at: Self.time(8), waiting: SpinThenYieldWait(), until: .after(milliseconds: 5))
    #expect(!isPublished)
    let slow = bus.health(at: 500_000_000)
    #expect(slow[0].consumer == "hung" && slow[0].verdict == .slow && slow[0].backlog == 8 && slow[1].verdict == .idle)
    let stuck = bus.health(at: 1_000_000_000)[0]
    #expect(stuck.verdict == .stuck)
    #expect(stuck.description == "consumer hung: stuck, 8 waiting, 1000 ms without progress")
    _ = hung.nextPosition
  }

  @Test func `a group whose thread died goes on where it stood, whenever its old handle is dropped`() throws {
    let bus = try Self.makeBus(16, history: 8)
    var publisher = bus.takePublisher()
    var dead: EventSubscription? = try bus.subscribe("orders")
    for number in 0..<6 { _ = publisher.tryPublish(Self.bar(number), at: Self.time(number)) }
    _ = dead!.handle(upTo: 2) { _, _ in .done }
    let seat = dead!.seat
    bus.evictDead("orders", at: seat)
    #expect(bus.lags().isEmpty)
    var again = try bus.subscribe("orders")
    let start = again.nextPosition
    #expect(start == 2)
    _ = again.handle { _, _ in .done }
    // The dead one's handle, dropped late, says nothing any more; the new one's does.
    dead = nil
    let read = again.nextPosition
    #expect(read == 6)
    do { _ = consume again }
    let third = try bus.subscribe("orders")
    let next = third.nextPosition
    #expect(next == 6)
  }

  @Test func `threads that sleep between events miss none`() throws {
    let bus = try Self.makeBus(64, history: 0, parks: true)
    let count = 20_000
    var threads: [PinnedThread] = []
    let results = [Tally(), Tally()]
    for place in 0..<2 {
      let end = Handoff(try bus.subscribe("group \(place)"))
      let result = results[place]
      threads.append(
        PinnedThread(ThreadConfiguration(name: "group")) {
          var group = end.take()
          var next = 0
          while next < count, group.wait(ParkWait(spinsMax: 8), until: .after(milliseconds: 60_000)) {
            _ = group.handle { record, position in
              if record.event != Self.bar(next) || position != UInt64(next) { result.fail() }
              next += 1
              return .done
            }
          }
          if next != count { result.fail() }
        })
    }
    var publisher = bus.takePublisher()
    for number in 0..<count {
      let isPublished = publisher.publish(
        Self.bar(number), at: Self.time(number), waiting: ParkWait(spinsMax: 8), until: .after(milliseconds: 60_000))
      guard isPublished else { break }
    }
    for thread in threads { thread.join() }
    #expect(!results[0].hasFailed && !results[1].hasFailed)
  }
}

/// Whether a thread saw something forbidden.
private final class Tally: Sendable {
  private let failures = Atomic<Int>(0)
  func fail() { failures.wrappingAdd(1, ordering: .releasing) }
  var hasFailed: Bool { failures.load(ordering: .acquiring) != 0 }
}
