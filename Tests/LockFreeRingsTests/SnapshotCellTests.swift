import LockFreeRings
import Synchronization
import TestSupport
import Testing
import TradingTypes

// Goal: a reader holds a whole value, never an older one than before, at the cost of a load. Method: one thread publishes as fast as it can, another
// reads and checks each value. Allowed: any version in rising order. Forbidden: fields of two versions, a version going back.
@Suite struct SnapshotCellTests {
  struct Limits: BitwiseCopyable, Sendable {
    var version: UInt64
    var words: InlineArray<29, UInt64>
    var tail: UInt8

    init(_ version: UInt64) {
      self.version = version
      words = .init { version &* UInt64($0 + 3) }
      tail = UInt8(truncatingIfNeeded: version)
    }

    var isWhole: Bool {
      for index in 0..<29 where words[index] != version &* UInt64(index + 3) { return false }
      return tail == UInt8(truncatingIfNeeded: version)
    }
  }

  @Test func `a reader sees each publication and only then looks again`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    var cell = try SnapshotCell(Limits(0), in: arena)
    var reader = try cell.reader()
    for version in 1...20 as ClosedRange<UInt64> {
      let early = reader.refresh()
      #expect(!early)
      cell.publish(Limits(version))
      let held = reader.value.version
      #expect(held == version - 1)
      let wasNew = reader.refresh()
      let again = reader.refresh()
      let value = reader.read()
      let readerVersion = reader.version
      #expect(wasNew && !again && value.version == version && value.isWhole && readerVersion == version)
    }
    let late = try cell.reader()
    let lateVersion = late.value.version
    #expect(lateVersion == 20)
  }

  @Test func `a value is never torn while it is being replaced`() throws {
    let arena = Arena(capacityBytes: 1 << 20)
    var cell = try SnapshotCell(Limits(0), in: arena)
    let end = Handoff(try cell.reader())
    let last = stressCount / 10
    let outcome = RingStressTests.Flag()
    let seen = RingStressTests.Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "read")) {
      var reader = end.take()
      var found = Outcome.exact
      var before: UInt64 = 0
      var changes: UInt64 = 0
      while before < last {
        let isNew = reader.refresh()
        let value = reader.value
        if !value.isWhole || value.version != reader.version { found = .torn }
        if value.version < before || isNew != (value.version != before) { found = .outOfOrder }
        changes += isNew ? 1 : 0
        before = value.version
        if !isNew { yieldThread() }
      }
      seen.word.store(changes, ordering: .releasing)
      outcome.word.store(found.rawValue, ordering: .releasing)
    }
    for version in 1...last { cell.publish(Limits(version)) }
    thread.join()
    #expect(Outcome(rawValue: outcome.word.load(ordering: .acquiring)) == .exact)
    #expect(seen.word.load(ordering: .acquiring) > 0)
  }
}
