import LockFreeRings
import Synchronization
import TestSupport
import Testing
import TradingTypes

// Goal: memory is handed out once, zeroed, and full is an answer. Method: tables and seeded runs against sets and arrays.
@Suite struct MemoryTests {
  @Test func `an arena hands out zeroed memory that does not overlap`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    var ends: [UInt] = []
    for (byteCount, alignment) in [(1, 1), (4095, 128), (0, 64), (200, 4096), (8192, 64)] {
      let memory = unsafe try arena.reserve(byteCount: byteCount, alignment: alignment)
      let start = UInt(bitPattern: memory)
      #expect(start % UInt(alignment) == 0)
      #expect(ends.allSatisfy { $0 <= start })
      ends.append(start + UInt(byteCount))
      var sum = 0
      for place in 0..<byteCount {
        sum += unsafe Int(memory.load(fromByteOffset: place, as: UInt8.self))
        unsafe memory.storeBytes(of: 0xFF, toByteOffset: place, as: UInt8.self)
      }
      #expect(sum == 0)
    }
    #expect(arena.usedBytes + arena.freeBytes == arena.capacityBytes)
  }

  @Test func `a full arena says how much was asked for and how much is free`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    _ = unsafe try arena.reserve(byteCount: arena.capacityBytes - 100)
    #expect(throws: ArenaError.exhausted(requestedBytes: 101, freeBytes: 100)) {
      _ = unsafe try arena.reserve(byteCount: 101, alignment: 1)
    }
    let hadRest = unsafe arena.take(byteCount: 100, alignment: 1) != nil
    let hadMore = unsafe arena.take(byteCount: 1, alignment: 1) != nil
    #expect(hadRest && !hadMore)
  }

  @Test func `the report measures what the system gave`() {
    let arena = Arena(capacityBytes: 8 << 20, locks: true)
    _ = Slab<UInt64>(repeating: 1, count: 1 << 19, in: arena)
    let report = arena.report()
    #expect(["explicit huge", "transparent huge", "4 KiB"].contains(report.pages))
    #expect(report.capacityBytes == 8 << 20 && report.usedBytes >= 4 << 20)
    #expect((0...arena.capacityBytes).contains(report.hugeBytes ?? 0))
    // Locked as asked, or a line that says why not. A sanitizer answers mlock itself and locks nothing.
    if !isSanitized {
      #expect((report.lockedBytes ?? 0) >= 4 << 20 || report.refusals.contains { $0.hasPrefix("lock refused") })
    }
    // Memory lies where it was bound to, as the kernel itself tells.
    if let node = report.boundNode { #expect(report.firstPageNode == node) }
    print("arena: \(report)")
  }

  @Test func `flushing the caches changes no value`() {
    let arena = Arena(capacityBytes: 2 << 20)
    // No whole number of cache lines.
    var slab = Slab<UInt64>(repeating: 0, count: 1_003, in: arena)
    for round in UInt64(1)...3 {
      for place in 0..<slab.count { slab[place] = UInt64(place) &* round }
      arena.flushFromCaches()
      var differing = 0
      for place in 0..<slab.count where slab[place] != UInt64(place) &* round { differing += 1 }
      #expect(differing == 0)
    }
  }

  @Test func `a node that is not there is refused with a line, and the memory is usable all the same`() {
    let arena = Arena(capacityBytes: 2 << 20, placement: .node(4095))
    let slab = Slab<UInt64>(repeating: 7, count: 1024, in: arena)
    #expect(slab[1023] == 7)
    let report = arena.report()
    #expect(report.boundNode == nil)
    #expect(report.refusals.contains { $0.hasPrefix("NUMA node 4095 refused") })
  }

  @Test func `first touch asks for no node`() {
    let report = Arena(capacityBytes: 2 << 20, placement: .firstTouch).report()
    #expect(report.boundNode == nil && report.refusals.isEmpty)
  }

  @Test(arguments: Seeds.brief)
  func `the pool equals a set of handles`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for capacity in [0, 1, 7, 64] {
      let arena = Arena(capacityBytes: 1 << 20)
      var pool = FixedPool<UInt64>(repeating: 0, capacity: capacity, in: arena)
      var twin: [UInt32: UInt64] = [:]
      var handles: [UInt32] = []
      var lastGivenBack: UInt32?
      for _ in 0..<3_000 {
        if random.below(2) == 0 {
          let value = random.next()
          let handle = pool.take(value)
          #expect((handle == nil) == (twin.count == capacity), "seed \(seed)")
          guard let handle else { continue }
          #expect(twin[handle] == nil && handle < capacity, "seed \(seed)")
          if let last = lastGivenBack { #expect(handle == last, "last in, first out; seed \(seed)") }
          lastGivenBack = nil
          twin[handle] = value
          handles.append(handle)
        } else if !handles.isEmpty {
          let handle = handles.remove(at: random.below(handles.count))
          let value = pool[handle]
          #expect(value == twin.removeValue(forKey: handle), "seed \(seed)")
          pool.giveBack(handle)
          lastGivenBack = handle
        }
        let count = pool.count
        #expect(count == twin.count, "seed \(seed)")
      }
      pool.checkInvariants()
      for handle in handles {
        let isTaken = pool.isTaken(handle)
        #expect(isTaken)
      }
    }
  }

  @Test(.enabled(if: isDebug, "the check is in debug builds"))
  func `giving a record back twice stops a debug build`() async {
    await #expect(processExitsWith: .failure) {
      var pool = FixedPool<UInt64>(repeating: 0, capacity: 4, in: Arena(capacityBytes: 1 << 20))
      let handle = pool.take(1)!
      pool.giveBack(handle)
      pool.giveBack(handle)
    }
  }

  @Test func `a batch holds what was appended and never more than its capacity`() {
    let arena = Arena(capacityBytes: 1 << 20)
    var batch = FixedBatch<UInt32>(capacity: 5, in: arena)
    for round in 0..<3 as Range<UInt32> {
      batch.removeAll()
      for number in 0..<7 as Range<UInt32> {
        let free = batch.freeCapacity
        let wasAppended = batch.tryAppend(number + round)
        #expect(wasAppended == (number < 5) && free == max(0, 5 - Int(number)))
      }
      let span = batch.span
      #expect(span.count == 5)
      for index in span.indices {
        let value = span[index]
        #expect(value == UInt32(index) + round)
      }
    }
    batch[2] = 99
    let changed = batch[2]
    #expect(changed == 99)
  }

  @Test func `appending to a full batch stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var batch = FixedBatch<UInt32>(capacity: 1, in: Arena(capacityBytes: 1 << 20))
      batch.append(1)
      batch.append(2)
    }
  }

  @Test func `a thread runs its body once and reports what it was granted`() {
    let allowed = ThreadConfiguration.allowedProcessors
    #expect(!allowed.isEmpty)
    let value = Handoff(Slab<UInt64>(repeating: 7, count: 3, in: Arena(capacityBytes: 1 << 20)))
    let result = RingStressTests.Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "worker", processor: allowed[0], realtimePriority: 1)) {
      let slab = value.take()
      result.word.store(slab[2], ordering: .releasing)
    }
    thread.join()
    thread.join()
    #expect(result.word.load(ordering: .acquiring) == 7)
    #expect(thread.grant.processor == allowed[0])
    #expect((thread.grant.realtimePriority == nil) == !thread.grant.refusals.isEmpty)
    let impossible = PinnedThread(ThreadConfiguration(name: "nowhere", processor: 100_000)) {}
    impossible.join()
    #expect(impossible.grant.processor == nil && impossible.grant.refusals.count == 1)
  }
}
