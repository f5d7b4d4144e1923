import CNet
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@testable import MarketReceive

// Goal: whatever lies in a slot, what is read from it stays inside it. Method: random lengths and control data, small and large numbers.

struct PacketSlotsTests {
  @Test(arguments: Seeds.brief)
  func `any bytes in a slot are described within its bounds`(seed: UInt64) throws {
    let slots = try PacketSlots(count: 4, payloadBytesMax: 100, in: Arena(capacityBytes: 1 << 16))
    var random = SplitMix64(seed: seed)
    for _ in 0..<20_000 {
      let slot = unsafe slots.slot(Int(random.next() % 4))
      for place in 0..<24 {
        // Half of the words are small, as true lengths are, and some those of true control data.
        let word =
          switch random.next() % 4 {
          case 0: UInt32(truncatingIfNeeded: random.next())
          case 1: UInt32(truncatingIfNeeded: random.next() % 128)
          case 2: [1, 35, 40, 16, 20, 32][Int(random.next() % 6)] as UInt32
          default: 0 as UInt32
          }
        // In bounds: 24 words before the payload.
        unsafe slot.storeBytes(of: word, toByteOffset: 4 * place, as: UInt32.self)
      }
      let read = slots.describe(slot: 1, at: 3)
      #expect(read.payload_bytes <= 100 && read.payload_bytes <= read.wire_bytes)
      #expect(slots.slot(ofRecord: 3) == 1)
    }
  }

  @Test func `stamp and drops are found wherever they stand`() throws {
    let slots = try PacketSlots(count: 2, payloadBytesMax: 100, in: Arena(capacityBytes: 1 << 16))
    // Lengths, type and body as the kernel lays them out: 16 bytes of header, bodies aligned to 8.
    let stamp: [UInt64] = [32, 1 | 35 << 32, 1_700_000_000, 123_456_789]
    let drops: [UInt64] = [20, 1 | 40 << 32, 7]
    for words in [stamp + drops, drops + stamp] {
      let slot = unsafe slots.slot(0)
      let header: [UInt32] = [16, 56, 40, 0]
      for (place, word) in header.enumerated() {
        unsafe slot.storeBytes(of: word, toByteOffset: 4 * place, as: UInt32.self)
      }
      for (place, word) in words.enumerated() {
        unsafe slot.storeBytes(of: word, toByteOffset: 32 + 8 * place, as: UInt64.self)
      }
      let read = slots.describe(slot: 0, at: 0)
      #expect(read.stamp == 1_700_000_000_123_456_789)
      #expect(read.has_drops && read.drops == 7)
      #expect(read.wire_bytes == 40 && read.payload_bytes == 40)
      // Cut short inside the second item: it is not read.
      unsafe slot.storeBytes(of: 50, toByteOffset: 4, as: UInt32.self)
      let cut = slots.describe(slot: 0, at: 0)
      #expect((cut.stamp == 0) != !cut.has_drops)
    }
  }
}
