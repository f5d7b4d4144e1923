// Goal: users on several threads never take more than the limit together, every use has one place in one order, and a recorded order
// is repeated. Method: crafted sequences; seeded users against plain integers in ticket order; concurrent users under an observer.

import CAllocationCounter
import Glibc
import LockFreeRings
import Synchronization
import TestSupport
import Testing
import TradingTypes

@Suite struct SharedLimitTests {
  /// Operations of the concurrent test over all users.
  static let operations: Int = {
    if let text = unsafe getenv("MARTLET_STRESS_OPERATIONS"), let count = Int(unsafe String(cString: text)) {
      return count
    }
    return countsAllocations ? 10_000_000 : 200_000
  }()

  static func limit(_ limit: Int64, replaying uses: [LimitUse]? = nil, patience: UInt64 = 10_000) throws -> SharedLimit
  {
    let arena = Arena(capacityBytes: 1 << 20)
    guard let uses else { return try SharedLimit(limit: limit, in: arena) }
    return try SharedLimit(limit: limit, replaying: uses, patienceMilliseconds: patience, in: arena)
  }

  /// What one thread did; read after it was joined.
  final class Slot: @unchecked Sendable { var uses: [LimitUse] = [] }

  /// The limit by plain integers: the parts of the users, applied in ticket order.
  struct Twin {
    let limit: Int64
    var parts: [UInt32: Int64] = [:]

    /// What is wrong with `use`, which has the next ticket.
    mutating func apply(_ use: LimitUse) -> String? {
      parts[use.user] = use.stake
      let base = parts.values.reduce(0, +)
      let isGranted = use.kind == .revalue || base + use.amount <= limit
      if isGranted { parts[use.user] = use.stake + use.amount }
      let used = parts.values.reduce(0, +)
      if use.isGranted != isGranted { return "granted is \(use.isGranted), expected \(isGranted)" }
      return use.used == used ? nil : "used is \(use.used), expected \(used)"
    }
  }

  @Test func `an amount is reserved, committed and given back, and the last one to fit is the limit itself`() throws {
    var limit = try Self.limit(100)
    var first = limit.takeHandle()
    var second = limit.takeHandle()
    var use = first.reserve(60, tag: 1)
    #expect(use.isGranted && use.ticket == 0 && use.used == 60 && use.user == 0)
    use = second.reserve(41, tag: 2)
    #expect(!use.isGranted && use.ticket == 1 && use.used == 60 && use.user == 1)
    use = second.reserve(40, tag: 3)
    #expect(use.isGranted && use.used == 100)
    first.commit(50)
    let parts = (first.reserved, first.held, first.outstanding, second.outstanding)
    #expect(parts == (10, 50, 60, 40))
    use = first.cancel(10, tag: 4)
    #expect(use.used == 90 && use.kind == .revalue && use.isGranted)
    use = first.release(20, tag: 5)
    #expect(use.used == 70)
    let state = limit.state
    #expect(state == (70, 5))
    let sum = first.outstanding + second.outstanding
    #expect(sum == 70)
  }

  @Test func `a revaluation is taken above the limit, and nothing is granted until the sum is below it again`() throws {
    var limit = try Self.limit(100)
    var first = limit.takeHandle()
    var second = limit.takeHandle()
    _ = first.reserve(90, tag: 1)
    first.commit(90)
    var use = first.revalue(to: 120, tag: 2)
    #expect(use.isGranted && use.used == 120)
    use = second.reserve(1, tag: 3)
    #expect(!use.isGranted)
    use = second.reserve(0, tag: 4)
    #expect(use.isGranted && use.used == 120)
    // The new worth and the wish in one step: refused or granted on what it is worth now.
    use = first.reserve(11, holding: 90, tag: 5)
    #expect(!use.isGranted && use.used == 90)
    use = first.reserve(10, holding: 90, tag: 6)
    #expect(use.isGranted && use.used == 100)
    let parts = (first.reserved, first.held)
    #expect(parts == (10, 90))
  }

  @Test func `a reservation may name a lower limit, and never lifts the shared one`() throws {
    var limit = try Self.limit(10)
    var handle = limit.takeHandle()
    var use = handle.reserve(4, within: 3, tag: 1)
    #expect(!use.isGranted && use.used == 0)
    use = handle.reserve(3, within: 3, tag: 2)
    #expect(use.isGranted && use.used == 3)
    use = handle.reserve(1, within: -5, tag: 3)
    #expect(!use.isGranted && use.used == 3)
    use = handle.reserve(8, within: 100, tag: 4)
    #expect(!use.isGranted)
    use = handle.reserve(7, within: .max, tag: 5)
    #expect(use.isGranted && use.used == 10)
  }

  @Test func `the largest amounts neither overflow nor pass`() throws {
    var limit = try Self.limit(SharedLimit.amountMax)
    var first = limit.takeHandle()
    var use = first.reserve(.max, tag: 1)
    #expect(!use.isGranted && use.used == 0)
    use = first.reserve(SharedLimit.amountMax, tag: 2)
    #expect(use.isGranted)
    first.commit(SharedLimit.amountMax)
    var used = Int64(0)
    for user in 1..<SharedLimit.userCountMax {
      var other = limit.takeHandle()
      let refused = other.reserve(1, tag: UInt64(user))
      #expect(!refused.isGranted)
      used = other.revalue(to: SharedLimit.amountMax, tag: UInt64(user)).used
    }
    #expect(used == 64 << 56)
    var none = try Self.limit(0)
    var handle = none.takeHandle()
    let (something, nothing) = (handle.reserve(1, tag: 1).isGranted, handle.reserve(0, tag: 2).isGranted)
    #expect(!something && nothing)
  }

  @Test(arguments: Seeds.brief)
  func `any sequence of uses gives what plain integers give`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var limit = try Self.limit(1_000)
    var handles = [Handoff(limit.takeHandle()), Handoff(limit.takeHandle()), Handoff(limit.takeHandle())]
    var twin = Twin(limit: 1_000)
    for step in 0..<2_000 {
      let user = Int(random.next() % 3)
      var handle = handles[user].take()
      let use = Self.step(&handle, &random, tag: UInt64(step))
      let wrong = twin.apply(use)
      #expect(wrong == nil, "seed \(seed), step \(step): \(wrong ?? "")")
      let state = limit.state
      #expect(state.used == use.used && state.uses == UInt64(step + 1) && use.ticket == UInt64(step))
      let outstanding = handle.outstanding
      #expect(outstanding == twin.parts[UInt32(user)], "seed \(seed), step \(step)")
      handles[user] = Handoff(handle)
    }
  }

  /// One use of any kind.
  static func step(_ handle: inout SharedLimit.Handle, _ random: inout SplitMix64, tag: UInt64) -> LimitUse {
    let amount = Int64(random.next() % 400)
    switch random.next() % 8 {
    case 0...2: return handle.reserve(amount, tag: tag)
    case 3:
      handle.commit(handle.reserved / 2)
      return handle.reserve(amount, holding: handle.held / 2 + amount / 8, tag: tag)
    case 4: return handle.revalue(to: amount, tag: tag)
    case 5:
      handle.commit(handle.reserved)
      return handle.release(min(amount, handle.held), tag: tag)
    default: return handle.cancel(handle.reserved, tag: tag)
    }
  }

  @Test func `concurrent users never pass the limit, leak nothing and agree on one order`() throws {
    let users = 3
    let perUser = Self.operations / users
    // Kept only as far as memory is no question; the order is then checked use by use.
    let keeps = perUser <= 1_000_000
    var limit = try Self.limit(1_000)
    let slots = (0..<users).map { _ in Slot() }
    let passed = Atomic<Int>(0)
    let running = Atomic<Int>(users)
    var threads: [PinnedThread] = []
    for user in 0..<users {
      let (end, slot) = (Handoff(limit.takeHandle()), slots[user])
      threads.append(
        PinnedThread(ThreadConfiguration(name: "user-\(user)")) {
          var handle = end.take()
          var random = SplitMix64(seed: UInt64(user) + 77)
          var uses: [LimitUse] = []
          if keeps { uses.reserveCapacity(perUser + 1) }
          var last: UInt64?
          for step in 0..<perUser {
            let amount = Int64(random.next() % 700)
            let use: LimitUse
            if handle.reserved == 0 || step % 2 == 0 {
              use = handle.reserve(amount, tag: UInt64(step))
            } else {
              use = handle.cancel(handle.reserved, tag: UInt64(step))
            }
            if use.used > 1_000 || use.used < 0 || (last.map { $0 >= use.ticket } ?? false) {
              passed.add(1, ordering: .relaxed)
            }
            last = use.ticket
            if keeps { uses.append(use) }
          }
          let use = handle.cancel(handle.reserved, tag: .max)
          if keeps { uses.append(use) }
          if handle.outstanding != 0 { passed.add(1, ordering: .relaxed) }
          slot.uses = uses
          running.subtract(1, ordering: .releasing)
        })
    }
    var looks = 0
    while running.load(ordering: .acquiring) > 0 {
      let state = limit.state
      if state.used > 1_000 || state.used < 0 { passed.add(1, ordering: .relaxed) }
      looks += 1
      yieldThread()
    }
    for thread in threads { thread.join() }
    let count = passed.load(ordering: .relaxed)
    #expect(count == 0 && looks > 0)
    let state = limit.state
    #expect(state.used == 0 && state.uses == UInt64(users * (perUser + 1)))
    guard keeps else { return }
    let uses = slots.flatMap(\.uses).sorted { $0.ticket < $1.ticket }
    var twin = Twin(limit: 1_000)
    var wrong: String?
    for (place, use) in uses.enumerated() where wrong == nil {
      wrong = use.ticket == UInt64(place) ? twin.apply(use) : "ticket \(use.ticket) at place \(place)"
    }
    #expect(wrong == nil)
    #expect(uses.count == users * (perUser + 1) && uses.contains { !$0.isGranted })
  }

  @Test func `a replay repeats the recorded order whatever the threads do`() throws {
    /// Two users who want more than there is; who gets it is chance.
    func run(_ limit: inout SharedLimit) -> [LimitUse] {
      let slots = (0..<2).map { _ in Slot() }
      var threads: [PinnedThread] = []
      for user in 0..<2 {
        let (end, slot) = (Handoff(limit.takeHandle()), slots[user])
        threads.append(
          PinnedThread(ThreadConfiguration(name: "user-\(user)")) {
            var handle = end.take()
            var uses: [LimitUse] = []
            for step in 0..<300 {
              uses.append(handle.reserve(Int64(7 + user), tag: UInt64(step)))
              if step % 7 == 6 { uses.append(handle.cancel(handle.reserved, tag: UInt64(step))) }
              if step % 5 == user { yieldThread() }
            }
            slot.uses = uses
          })
      }
      for thread in threads { thread.join() }
      return slots.flatMap(\.uses).sorted { $0.ticket < $1.ticket }
    }
    var live = try Self.limit(40)
    let recorded = run(&live)
    #expect(recorded.contains { !$0.isGranted } && recorded.contains(where: \.isGranted))
    for _ in 0..<3 {
      var again = try Self.limit(40, replaying: recorded)
      let repeated = run(&again)
      #expect(repeated == recorded)
      #expect(again.divergence == nil)
    }
  }

  @Test func `a replay that does something else says at which ticket`() throws {
    var live = try Self.limit(10)
    var handle = live.takeHandle()
    let recorded = [handle.reserve(4, tag: 1), handle.reserve(4, tag: 2), handle.reserve(4, tag: 3)]

    var other = try Self.limit(10, replaying: recorded)
    handle = other.takeHandle()
    _ = handle.reserve(4, tag: 1)
    _ = handle.reserve(5, tag: 2)
    #expect(
      other.divergence?.description
        == "ticket 1: recorded is limit 0, reserve 4 on 4 by user 0, tag 2, granted, "
        + "what came is limit 0, reserve 5 on 4 by user 0, tag 2, granted")
    // After it nothing is granted and nobody waits.
    let after = handle.reserve(1, tag: 3)
    #expect(!after.isGranted && after.ticket == .max)

    var longer = try Self.limit(10, replaying: Array(recorded.prefix(1)))
    handle = longer.takeHandle()
    _ = handle.reserve(4, tag: 1)
    _ = handle.reserve(4, tag: 2)
    #expect(longer.divergence?.description == "user 0 came after all 1 recorded uses")

    var waiting = try Self.limit(10, replaying: recorded, patience: 20)
    _ = waiting.takeHandle()
    handle = waiting.takeHandle()
    let refused = handle.reserve(4, tag: 9)
    #expect(!refused.isGranted)
    #expect(
      waiting.divergence?.description
        == "ticket 0: recorded is limit 0, reserve 4 on 0 by user 0, tag 1, granted, which did not come while user 1 waited"
    )
  }

  @Test func `misuse stops at once`() async {
    await #expect(processExitsWith: .failure) { _ = try Self.limit(-1) }
    await #expect(processExitsWith: .failure) { _ = try Self.limit(SharedLimit.amountMax + 1) }
    await #expect(processExitsWith: .failure) {
      var limit = try Self.limit(10)
      var handle = limit.takeHandle()
      _ = handle.reserve(-1, tag: 0)
    }
    await #expect(processExitsWith: .failure) {
      var limit = try Self.limit(10)
      var handle = limit.takeHandle()
      handle.commit(1)
    }
    await #expect(processExitsWith: .failure) {
      var limit = try Self.limit(10)
      var handle = limit.takeHandle()
      _ = handle.release(1, tag: 0)
    }
  }

  @Test(.enabled(if: countsAllocations, "counts mean something in release builds only"))
  func `a use needs no allocation and no retain`() throws {
    var limit = try Self.limit(1_000)
    var handle = limit.takeHandle()
    var granted = 0
    func round() {
      for step in 0..<1_000 {
        if handle.reserve(3, tag: UInt64(step)).isGranted { granted += 1 }
        handle.commit(3)
        _ = handle.release(3, tag: UInt64(step))
      }
    }
    round()
    let counts = counting(round)
    #expect(granted == 2_000)
    #expect(counts.allocations == 0 && counts.retains == 0)
  }
}
