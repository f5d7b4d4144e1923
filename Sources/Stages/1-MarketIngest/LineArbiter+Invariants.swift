internal import LockFreeRings

extension LineArbiter {
  /// What is wrong inside, or nil: every number below the highest known one must be delivered, held or in a gap.
  ///
  /// - Complexity: O(window + gaps); for tests.
  public mutating func checkInvariants() -> String? {
    settle()
    var covered = next
    for place in 0..<gapCount {
      let gap = gaps[place]
      while covered < gap.first, window.holds(covered) { covered += 1 }
      guard covered == gap.first else { return "message \(covered) is in no gap and not held" }
      guard gap.first < gap.end, gap.end <= highest else { return "gap \(place) is empty or too high" }
      covered = gap.end
    }
    while covered < highest, window.holds(covered) { covered += 1 }
    guard covered == highest else { return "message \(covered) is in no gap and not held" }
    var held = 0
    for place in 0..<window.slots.count where window.slots[place].sequence != 0 {
      let sequence = window.slots[place].sequence
      held += 1
      guard sequence >= floor, sequence - floor < windowMessages else { return "message \(sequence) is outside" }
    }
    guard held == window.heldCount else { return "\(held) messages held, \(window.heldCount) counted" }
    var lost = 0
    for place in 0..<gapCount where gaps[place].isLost { lost += 1 }
    return lost == lostGapCount ? nil : "\(lost) gaps lost, \(lostGapCount) counted"
  }

  /// A fault for tests of the tests: the highest message, if it is held, is forgotten; true where one was.
  mutating func forgetHighestHeld() -> Bool {
    guard highest > 0, window.holds(highest - 1) else { return false }
    window.release(highest - 1)
    return true
  }
}
