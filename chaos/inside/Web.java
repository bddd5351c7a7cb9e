import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

/** A page at the port that is its argument; run as one file, by the JVM itself. */
class Web {
    public static void main(String[] arguments) throws Exception {
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 3);
            exchange.getResponseBody().write("up\n".getBytes());
            exchange.close();
        });
        server.start();
    }
}
