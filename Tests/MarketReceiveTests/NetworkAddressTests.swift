import MarketReceive
import Testing

// Goal: addresses mean what they say. Method: examples, and texts that are no address.

struct NetworkAddressTests {
  @Test func `text and address are each other's inverse`() {
    for text in ["0.0.0.0", "127.0.0.1", "239.1.2.3", "255.255.255.255"] {
      #expect(IPv4Address(text)?.description == text)
    }
  }

  @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1..2.3", "1.2.3.4 ", "+1.2.3.4", "0001.2.3.4", "a.b.c.d"])
  func `other texts are refused`(text: String) {
    #expect(IPv4Address(text) == nil)
  }

  @Test func `the groups are those from 224 to 239`() {
    #expect(!IPv4Address(223, 255, 255, 255).isMulticast)
    #expect(IPv4Address(224, 0, 0, 0).isMulticast)
    #expect(IPv4Address(239, 255, 255, 255).isMulticast)
    #expect(!IPv4Address(240, 0, 0, 0).isMulticast)
  }
}
