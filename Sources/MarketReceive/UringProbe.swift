internal import CNet
internal import CUring
internal import Glibc
internal import LockFreeRings

extension UringAbility {
  /// What this system can do: a datagram is sent through a pair of sockets and received by a ring of two buffers.
  ///
  /// Version numbers would not tell: io_uring may be forbidden, filtered or emulated.
  static func ofThisSystem() -> UringAbility {
    found { deferred in
      var files: (Int32, Int32) = (-1, -1)
      let made = unsafe withUnsafeMutableBytes(of: &files) { buffer in
        // In bounds: two integers.
        unsafe socketpair(
          AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0,
          buffer.baseAddress!.assumingMemoryBound(to: Int32.self))
      }
      guard made == 0 else { return errno }
      defer {
        martlet_net_close(files.0)
        martlet_net_close(files.1)
      }
      do throws(NetworkError) {
        let slots = try PacketSlots(count: 2, payloadBytesMax: 64, in: Arena(capacityBytes: 1 << 16))
        let stop = try ReceiverStop()
        do throws(ReceiveRing.Refusal) {
          var ring = try ReceiveRing(over: slots, deferred: deferred)
          return trial(&ring, slots: slots, receiving: files.0, sending: files.1, event: stop.event)
        } catch { return error.errorNumber }
      } catch { return ENOMEM }
    }
  }

  private static func trial(
    _ ring: inout ReceiveRing, slots: PacketSlots, receiving: Int32, sending: Int32, event: Int32
  ) -> Int32 {
    let refusal = ring.arm(socket: receiving, event: event)
    guard refusal == 0 else { return refusal }
    var byte: UInt8 = 0x5A
    guard unsafe send(sending, &byte, 1, 0) == 1 else { return errno }
    for _ in 0..<100 {
      for place in 0..<ring.take(2, into: slots) {
        let completion = ring.completion(place, of: slots)
        guard completion.is_receive else { continue }
        if completion.result < 0 { return -completion.result }
        // One that ends with its first datagram is no multishot.
        return completion.has_more && completion.has_buffer ? 0 : ENOTSUP
      }
      let slept = ring.wait(nanoseconds: 1_000_000)
      guard [0, ETIME, EINTR, EAGAIN].contains(slept) else { return slept }
    }
    return ETIME
  }
}
