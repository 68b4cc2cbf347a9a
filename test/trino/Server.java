import java.io.IOException;

/**
 * Trino's own server class, as its launcher starts it: that launcher is not everywhere where the server is. Ends with its
 * standard input, so that whoever started it cannot leave it behind, however they end.
 */
public class Server {
  public static void main(String[] arguments) {
    Thread watch = new Thread(Server::endWithInput);
    watch.setDaemon(true);
    watch.start();
    new io.trino.server.Server().start(arguments[0]);
  }

  private static void endWithInput() {
    try {
      while (System.in.read() >= 0) {}
    } catch (IOException closed) {
      // As good as its end.
    }
    Runtime.getRuntime().halt(0);
  }
}
