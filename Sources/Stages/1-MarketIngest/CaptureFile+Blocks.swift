internal import TradingTypes

/// What an interface description block says of the packets of one interface.
struct CaptureInterface: BitwiseCopyable, Sendable {
  /// The link type.
  var link: UInt16 = 0
  /// Bytes captured of a packet at most; 0 for all.
  var snapLength: UInt32 = 0
  /// Units of its times: 10^-n seconds, or 2^-n with the highest bit set.
  var resolution: UInt8 = 6
  /// Seconds to add to its times.
  var offsetSeconds: Int64 = 0

  /// The time `ticks` units after the epoch, or nil where nanoseconds cannot express it.
  func time(_ ticks: UInt64) -> Timestamp? {
    var nanoseconds: UInt64
    if resolution & 0x80 != 0 {
      let (high, low) = ticks.multipliedFullWidth(by: 1_000_000_000)
      let shift = Int(resolution & 0x7F)
      guard shift >= 64 || high >> UInt64(shift) == 0 else { return nil }
      // High and low half of the product, moved right together; a shift of a half by 64 gives 0.
      nanoseconds =
        shift < 64 ? low >> UInt64(shift) | high << UInt64(64 - shift) : high >> UInt64(shift - 64)
    } else {
      nanoseconds = ticks
      for _ in 0..<max(0, 9 - Int(resolution)) {
        let (product, overflow) = nanoseconds.multipliedReportingOverflow(by: 10)
        guard !overflow else { return nil }
        nanoseconds = product
      }
      // Twenty divisions leave nothing of any 64-bit number.
      for _ in 0..<min(20, max(0, Int(resolution) - 9)) { nanoseconds /= 10 }
    }
    let (offset, hasOverflowed) = offsetSeconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard nanoseconds <= UInt64(Int64.max), !hasOverflowed else { return nil }
    let (sum, overflow) = Int64(nanoseconds).addingReportingOverflow(offset)
    return overflow ? nil : Timestamp(nanoseconds: sum)
  }
}

extension CaptureFile {
  /// Reads the next block: its packet, or nil where it holds none or the file ends.
  mutating func nextBlock() -> Captured? {
    let start = position
    let rest = view.count - start
    guard rest >= 12 else {
      state = rest == 0 ? .end : .truncated(offset: start, byteCount: rest)
      return nil
    }
    let isSection = view.bigEndian32(at: start) == 0x0A0D_0D0A
    if isSection {
      // Says in which order the bytes of its section stand, its own length too.
      switch view.bigEndian32(at: start + 8) {
      case 0x1A2B_3C4D: isLittleEndian = false
      case 0x4D3C_2B1A: isLittleEndian = true
      default:
        state = .damaged(offset: start)
        return nil
      }
    }
    let count = Int(integer32(at: start + 4))
    guard count >= 12, count % 4 == 0, count <= 2 * Self.packetBytesMax else {
      state = .damaged(offset: start)
      return nil
    }
    guard count <= rest else {
      state = .truncated(offset: start, byteCount: rest)
      return nil
    }
    guard integer32(at: start + count - 4) == UInt32(count) else {
      state = .damaged(offset: start)
      return nil
    }
    position = start + count
    if isSection {
      beginSection(at: start, count: count)
      return nil
    }
    switch integer32(at: start) {
    case 1:
      describeInterface(at: start, count: count)
      return nil
    case 3: return simplePacket(at: start, count: count)
    case 6: return enhancedPacket(at: start, count: count)
    default:
      // Wrapping: as every count.
      counters.skippedBlocks &+= 1
      return nil
    }
  }

  private mutating func beginSection(at start: Int, count: Int) {
    guard count >= 28, integer16(at: start + 12) == 1 else {
      state = .damaged(offset: start)
      return
    }
    interfaceCount = 0
    interfaceIndex = -1
  }

  private mutating func describeInterface(at start: Int, count: Int) {
    guard count >= 20 else {
      state = .damaged(offset: start)
      return
    }
    var described = CaptureInterface()
    described.link = integer16(at: start + 8)
    described.snapLength = integer32(at: start + 12)
    let end = start + count - 4
    var place = start + 16
    while place + 4 <= end {
      let code = integer16(at: place)
      let length = Int(integer16(at: place + 2))
      let value = place + 4
      guard code != 0 else { break }
      guard length <= end - value else {
        state = .damaged(offset: start)
        return
      }
      if code == 9, length == 1 { described.resolution = view.byte(at: value) }
      if code == 14, length == 8 { described.offsetSeconds = Int64(bitPattern: integer64(at: value)) }
      place = value + (length + 3) / 4 * 4
    }
    if interfaceCount < Self.interfaceCountMax { interfaces[interfaceCount] = described }
    interfaceCount += 1
  }

  /// Makes the interface at `index` the one at hand; false where it was not described or has no place in the table.
  private mutating func select(_ index: Int) -> Bool {
    guard index < min(interfaceCount, Self.interfaceCountMax) else { return false }
    if index != interfaceIndex {
      interface = interfaces[index]
      interfaceIndex = index
    }
    return true
  }

  private mutating func enhancedPacket(at start: Int, count: Int) -> Captured? {
    guard count >= 32, Int(integer32(at: start + 20)) <= count - 32 else {
      state = .damaged(offset: start)
      return nil
    }
    let isKnown = select(Int(integer32(at: start + 8)))
    let ticks = UInt64(integer32(at: start + 12)) << 32 | UInt64(integer32(at: start + 16))
    return Captured(
      offset: start + 28, count: Int(integer32(at: start + 20)), time: isKnown ? interface.time(ticks) : latestTime,
      isKnownLink: isKnown)
  }

  /// A packet without a time, of the first interface: it is given the time of the packet before it.
  private mutating func simplePacket(at start: Int, count: Int) -> Captured? {
    guard count >= 16 else {
      state = .damaged(offset: start)
      return nil
    }
    let isKnown = select(0)
    var length = Int(integer32(at: start + 8))
    if isKnown, interface.snapLength > 0 { length = min(length, Int(interface.snapLength)) }
    return Captured(
      offset: start + 12, count: min(length, count - 16), time: latestTime, isKnownLink: isKnown)
  }
}
