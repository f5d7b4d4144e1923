import LockFreeRings
import Synchronization
import TestSupport
import Testing
import TradingTypes

// Goal: many values that one thread replaces are read whole and never go back. Method: one writer over a few places, a reader that looks at all of
// them; every value tells its place and version. Allowed: any version from the last one seen on. Forbidden: torn, another place's, an older one.
@Suite struct SnapshotBoardTests {
  static func number(_ place: Int, _ version: UInt64) -> UInt64 { version << 8 | UInt64(place) }

  @Test func `a value is never torn, of another place or older than the last one seen`() throws {
    let places = 5
    var board = try SnapshotBoard(
      repeating: Sample(0), count: places, in: Arena(capacityBytes: 1 << 20))
    for place in 0..<places { board.publish(Sample(Self.number(place, 1)), at: place) }
    let handed = Handoff(try board.reader())
    let isDone = RingStressTests.Flag()
    let wrong = RingStressTests.Flag()
    let looks = RingStressTests.Flag()
    let thread = PinnedThread(ThreadConfiguration(name: "read")) {
      var reader = handed.take()
      var last = [UInt64](repeating: 1, count: places)
      var count: UInt64 = 0
      while isDone.word.load(ordering: .acquiring) == 0 || count < 1_000 {
        for place in 0..<places {
          let told = reader.version(at: place)
          let (value, version) = reader.read(at: place)
          if !value.isWhole || value.number != Self.number(place, version) || version < told || version < last[place] {
            wrong.word.store(1, ordering: .relaxed)
          }
          last[place] = version
        }
        count += 1
      }
      looks.word.store(count, ordering: .releasing)
    }
    var versions = [UInt64](repeating: 1, count: places)
    for round in 0..<max(4, stressCount / 20) {
      for place in 0..<places where (Int(round) + place) % 3 != 0 {
        versions[place] += 1
        board.publish(Sample(Self.number(place, versions[place])), at: place)
      }
    }
    isDone.word.store(1, ordering: .releasing)
    thread.join()
    #expect(wrong.word.load(ordering: .acquiring) == 0)
    #expect(looks.word.load(ordering: .acquiring) >= 1_000)
  }

  @Test func `an empty board and one of odd sizes are boards`() throws {
    let empty = try SnapshotBoard(repeating: UInt8(3), count: 0, in: Arena(capacityBytes: 1 << 16))
    #expect(empty.count == 0)
    var board = try SnapshotBoard(repeating: UInt8(3), count: 2, in: Arena(capacityBytes: 1 << 16))
    board.publish(9, at: 1)
    var reader = try board.reader()
    let (first, second) = (reader.read(at: 0), reader.read(at: 1))
    #expect(first.value == 3 && first.version == 0 && second.value == 9 && second.version == 1)
  }

  @Test func `a place that is not on the board is refused`() async {
    await #expect(processExitsWith: .failure) {
      var board = try SnapshotBoard(repeating: 1, count: 2, in: Arena(capacityBytes: 1 << 16))
      board.publish(1, at: 2)
    }
  }
}
